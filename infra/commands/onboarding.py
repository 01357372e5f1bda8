"""Becoming a supplier: contractors invite and follow, companies register, apply, hand in papers and submit."""

from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from infra.api import Api
from infra.commands.console import (
    As,
    DataDir,
    ExitCode,
    JsonFlag,
    Out,
    Unusable,
    addresses_of,
    api_as,
    failing_well,
    local_time,
)
from infra.instance import DATA_DIR
from infra.price_files import MEDIA_TYPES, read_in_chunks

_SHOWN = 20
_UPLOAD_TIMEOUT_SECONDS = 600.0
app = typer.Typer()

Categories = Annotated[list[str] | None, typer.Option("--category", help="A category of the catalog; repeatable.")]
Regions = Annotated[list[str] | None, typer.Option("--region", help="GB/T 2260 code; repeatable; none: everywhere.")]


def new_key() -> str:
    """A command is one intent."""
    return f"onboarding-{uuid4().hex}"


def own_company(api: Api) -> str:
    """The id of the company the caller acts for.

    Raises:
        Unusable: it acts for none.
    """
    company = api.get("/members/me").body["company"]
    if company is None:
        raise Unusable("You act for no company; sign in for one.")
    return str(company["id"])


def step(api: Api, supplier_id: str, name: str, body: Any = None) -> dict[str, Any]:
    """A step of a supplier's application, from its present version on."""
    version = api.get(f"/suppliers/{supplier_id}/application").body["version"]
    path = f"/suppliers/{supplier_id}/application/{name}"
    application: dict[str, Any] = api.post(path, body, key=new_key(), version=f'"{version}"').body
    return application


def show_application(out: Out, application: dict[str, Any]) -> None:
    """Where it stands, in a line or two."""
    out.say(f"{application['state']}  {', '.join(application['categories'])}  ({application['trade']})")
    if application["reason"]:
        out.say(f"{application['reviewer_name']}: {application['reason']}")
    rows = [(finding["paper_id"], finding["reason"]) for finding in application["findings"]]
    if rows and application["state"] == "RETURNED":  # once submitted again, what was found has been answered
        out.table("To be replaced", ("paper", "reason"), rows)


@app.command()
def invite(
    file: Annotated[
        Path | None, typer.Argument(help="CSV or XLSX: name (供应商名称), uscc, email, categories.")
    ] = None,
    *,
    name: Annotated[str | None, typer.Option(help="One company instead of a file.")] = None,
    tax_id: Annotated[str | None, typer.Option(help="Only the company with this USCC may accept.")] = None,
    contact: Annotated[str | None, typer.Option("--email", help="Where you send the code.")] = None,
    category: Categories = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Invite one supplier (--name) or those of a file; the codes are shown this once (contractor's admin or buyer).

    Exit code 4 when rows were rejected.
    """
    out = Out(json=json)
    with failing_well(out):
        if (file is None) == (name is None):
            raise Unusable("Name a file, or one company with --name.")
        api = api_as(out, data_dir, email)
        if file is None:
            body = {"name": name, "tax_id": tax_id, "email": contact, "categories": category or []}
            made = api.post("/suppliers/invitations", body, key=new_key()).body
            out.say(f"{made['company_name']}: {made['code']}  (until {local_time(made['expires_at'])})")
            out.result(made)
            return
        told = _send_file(api, file)
        _show_file(out, told)
        out.result(told)
        if told["rejected"]:
            raise typer.Exit(ExitCode.PARTLY)


def _send_file(api: Api, file: Path) -> dict[str, Any]:
    media = MEDIA_TYPES.get(file.suffix.lower())
    if not file.is_file() or file.suffix.lower() not in {".csv", ".xlsx"} or media is None:
        raise Unusable(f"{file} is no CSV or XLSX file that can be read.")
    told: dict[str, Any] = api.call(
        "POST",
        "/suppliers/invitations/files",
        headers={"Content-Type": media, "Idempotency-Key": new_key()},
        content=file.read_bytes(),
        timeout=_UPLOAD_TIMEOUT_SECONDS,
    ).body
    return told


def _show_file(out: Out, told: dict[str, Any]) -> None:
    if told["repeated"]:
        out.note("This file was sent before; nothing was done.")
    rows = [(each["row"], each["company_name"], each["email"], each["code"]) for each in told["invitations"]]
    out.table(f"Invited: {told['invited']}", ("row", "company", "e-mail", "code"), rows, right=("row",))
    wrong = [(each["row"], each["column"], each["code"], each["text"]) for each in told["problems"][:_SHOWN]]
    if wrong:
        out.table(f"Rejected: {told['rejected']}", ("row", "column", "code", "text"), wrong, right=("row",))


@app.command()
def funnel(
    *,
    state: Annotated[str | None, typer.Option(help="List those that stand here, e.g. SUBMITTED.")] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """How far those your group invited have come."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        if state is None:
            told = api.get("/suppliers/invitations/funnel").body
            out.table(
                f"Invited: {told['total']}", ("state", "suppliers"), list(told["states"].items()), right=("suppliers",)
            )
            out.result(told)
            return
        found = list(api.pages("/suppliers/invitations", state=state, limit=200))
        rows = [(each["company_name"], each["tax_id"], each["state"], local_time(each["created_at"])) for each in found]
        out.table("Invitations", ("company", "tax id", "state", "invited"), rows)
        out.result(found)


@app.command()
def register(
    tax_id: Annotated[str, typer.Argument(help="统一社会信用代码; the check digit must hold.")],
    name: Annotated[str, typer.Argument(help="The company's name.")],
    *,
    person: Annotated[str, typer.Option(help="Your own name.")],
    contact: Annotated[str, typer.Option("--email", help="Your e-mail address, with which you will sign in.")],
    password: Annotated[str | None, typer.Option(envvar="DOUGONG_PASSWORD", help="Asked for when absent.")] = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Register your own company as a supplier, with you as its admin; then sign in and apply."""
    out = Out(json=json)
    with failing_well(out):
        chosen = password or typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        body = {
            "tax_id": {"value": tax_id},
            "name_zh": name,
            "person_name": person,
            "email": contact,
            "password": chosen,
        }
        made = out.open(addresses_of(data_dir)).post("/members/registrations", body).body
        out.say(f"{made['company']['name']} takes part. `dougong login {contact}`, then `dougong suppliers apply`.")
        out.result(made)


@app.command()
def apply(
    *,
    category: Annotated[list[str], typer.Option(help="A category of the catalog; repeatable.")],
    trade: Annotated[str, typer.Option(help="maker, or trader of others' goods.")] = "maker",
    region: Regions = None,
    code: Annotated[str | None, typer.Option(help="Of the contractor that invited you.")] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Apply for qualification (supplier's admin or sales)."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        body = {"trade": trade, "categories": category, "regions": region or [], "invitation_code": code}
        application = api.post(f"/suppliers/{own_company(api)}/application", body, key=new_key()).body
        show_application(out, application)
        out.result(application)


@app.command()
def identity(
    *,
    representative: Annotated[str, typer.Option(help="The legal representative's name.")],
    bank: Annotated[str, typer.Option(help="The bank and branch.")],
    account_name: Annotated[str, typer.Option(help="Whose account it is.")],
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Say who stands behind the supplier (its admin); the two numbers are asked for, and kept only as hashes."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        body = {
            "representative_name": representative,
            "document_number": typer.prompt("Identity number", hide_input=True, err=True),
            "bank_name": bank,
            "account_name": account_name,
            "account_number": typer.prompt("Account number", hide_input=True, err=True),
        }
        told = api.call("PUT", f"/suppliers/{own_company(api)}/identity", json=body).body
        out.say(f"{told['representative_name']} {told['document_masked']}, {told['account_masked']}: {told['state']}")
        out.result(told)


@app.command("hand-in")
def hand_in(
    file: Annotated[Path, typer.Argument(help="PDF, PNG or JPEG, at most 20 MB.")],
    *,
    kind: Annotated[str, typer.Option(help="business_licence, production_permit, ccc … (`suppliers papers`).")],
    issuer: Annotated[str, typer.Option(help="Who issued it.")],
    number: Annotated[str, typer.Option(help="Its number.")],
    begins: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="Its first day.")],
    until: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Its last day; none: without end.")] = None,
    category: Categories = None,
    replaces: Annotated[str | None, typer.Option(help="The paper it corrects or renews.")] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Hand in a paper; the same file again changes nothing."""
    out = Out(json=json)
    with failing_well(out):
        if not file.is_file():
            raise Unusable(f"There is no file {file}.")
        api = api_as(out, data_dir, email)
        said = {
            "kind": kind,
            "issuer": issuer,
            "number": number,
            "valid_from": begins,
            "valid_until": until,
            "category": category,
            "replaces": replaces,
            "file_name": file.name,
        }
        paper = api.call(
            "POST",
            f"/suppliers/{own_company(api)}/papers",
            params={key: value for key, value in said.items() if value},
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Length": str(file.stat().st_size),
                "Idempotency-Key": new_key(),
            },
            content=read_in_chunks(file, progress=lambda _: None),
            timeout=_UPLOAD_TIMEOUT_SECONDS,
        ).body
        out.say(f"{paper['kind']} {paper['number']}: {paper['state']}  {paper['id']}")
        out.result(paper)


@app.command()
def papers(
    *,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Your papers, your application, and what each category still needs."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        supplier_id = own_company(api)
        standing = api.get(f"/suppliers/{supplier_id}/onboarding").body
        held = api.get(f"/suppliers/{supplier_id}/papers").body
        _show_standing(out, standing)
        show_papers(out, held)
        out.result({**standing, "papers": held})


def _show_standing(out: Out, standing: dict[str, Any]) -> None:
    supplier, known = standing["supplier"], standing["identity"]
    out.say(f"{supplier['name']} {supplier['tax_id']}: {supplier['status']}")
    out.say(f"identity: {known['state'] if known else 'not given'}")
    if standing["application"]:
        show_application(out, standing["application"])
    rows = [(category, ", ".join(kinds)) for category, kinds in standing["missing"].items()]
    if rows:
        out.table("Still needed", ("category", "papers"), rows)
    for category, last_day in standing["ended"].items():
        out.note(f"{category}: a needed paper ended on {last_day}; nothing new is ordered until it is renewed.")


def show_papers(out: Out, held: list[dict[str, Any]]) -> None:
    """Papers that no newer one replaces."""
    rows = [
        (each["kind"], each["number"], each["valid_until"] or "no end", each["state"], each["reason"], each["id"])
        for each in held
        if each["replaced_by"] is None
    ]
    out.table("Papers", ("kind", "number", "until", "state", "reason", "id"), rows)


@app.command()
def submit(*, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """Submit the application with its papers, also after a return."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        application = step(api, own_company(api), "submission")
        show_application(out, application)
        out.result(application)
