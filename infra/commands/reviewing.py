"""Reviewing suppliers: the queue, identities, papers, and the decision on an application (operators)."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.api import Api
from infra.commands.console import As, DataDir, JsonFlag, Out, Unusable, api_as_operator, failing_well, local_time
from infra.commands.onboarding import Regions, new_key, show_application, show_papers, step
from infra.instance import DATA_DIR

app = typer.Typer()

Supplier = Annotated[str, typer.Argument(help="The supplier's tax id.")]
Reason = Annotated[str, typer.Option(help="Why; it stands in the history.")]


def supplier_of(api: Api, tax_id: str) -> str:
    """The id of the company of a tax id.

    Raises:
        Unusable: there is none.
    """
    found = api.get("/members/companies", tax_id=tax_id).body
    if not found:
        raise Unusable(f"No company has the tax id {tax_id}.")
    return str(found[0]["id"])


@app.command()
def queue(
    *,
    state: Annotated[str, typer.Option(help="DOCUMENTS_SUBMITTED, UNDER_REVIEW, RETURNED …")] = "DOCUMENTS_SUBMITTED",
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Applications in a state, who has waited longest first; and identities to be verified."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as_operator(out, data_dir, email)
        waiting = list(api.pages("/suppliers/applications", state=state, limit=200))
        due = list(api.pages("/suppliers/identities", limit=200))
        rows = [
            (each["tax_id"], each["supplier_name"], ", ".join(each["categories"]), local_time(each["waiting_since"]))
            for each in waiting
        ]
        out.table(state, ("tax id", "supplier", "categories", "since"), rows)
        rows = [(each["tax_id"], each["supplier_name"], each["state"], each["due_on"]) for each in due]
        out.table("Identities to verify", ("tax id", "supplier", "state", "due"), rows)
        out.result({"applications": waiting, "identities": due})


@app.command()
def verify(
    tax_id: Supplier,
    *,
    reason: Reason,
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuse it instead.")] = False,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Verify who stands behind a supplier, or refuse it."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as_operator(out, data_dir, email)
        path = f"/suppliers/{supplier_of(api, tax_id)}/identity"
        version = api.get(path).body["version"]
        decision = "refusal" if refuse else "verification"
        told = api.post(f"{path}/{decision}", {"reason": reason}, key=new_key(), version=f'"{version}"').body
        out.say(f"{told['representative_name']} {told['document_masked']}: {told['state']}, due {told['due_on']}")
        out.result(told)


@app.command()
def check(
    tax_id: Supplier,
    paper: Annotated[str, typer.Argument(help="The paper's id.")],
    *,
    refuse: Annotated[str | None, typer.Option(metavar="REASON", help="Refuse it, and why.")] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Accept a paper, e.g. a renewal, or refuse it."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as_operator(out, data_dir, email)
        body = {"outcome": "accepted"} if refuse is None else {"outcome": "refused", "reason": refuse}
        told = api.post(f"/suppliers/{supplier_of(api, tax_id)}/papers/{paper}/check", body, key=new_key()).body
        out.say(f"{told['kind']} {told['number']}: {told['state']}")
        out.result(told)


@app.command()
def review(tax_id: Supplier, *, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """Take an application, and show its papers."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as_operator(out, data_dir, email)
        supplier_id = supplier_of(api, tax_id)
        application = step(api, supplier_id, "review")
        held = api.get(f"/suppliers/{supplier_id}/papers").body
        show_application(out, application)
        show_papers(out, held)
        out.result({**application, "papers": held})


def _decided(out: Out, tax_id: str, name: str, body: dict[str, Any], *, email: str | None, data_dir: Path) -> None:
    api = api_as_operator(out, data_dir, email)
    application = step(api, supplier_of(api, tax_id), name, body)
    show_application(out, application)
    out.result(application)


@app.command("return")
def give_back(
    tax_id: Supplier,
    *,
    reason: Reason,
    paper: Annotated[
        list[str] | None, typer.Option(metavar="ID=REASON", help="A paper that will not do, and why; repeatable.")
    ] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Return an application to the supplier, with a reason for each paper that will not do."""
    out = Out(json=json)
    with failing_well(out):
        findings = {}
        for each in paper or []:
            paper_id, _, why = each.partition("=")
            if not why:
                raise Unusable(f"--paper {each!r} is not ID=REASON.")
            findings[paper_id] = why
        body = {"reason": reason, "papers": findings}
        _decided(out, tax_id, "return", body, email=email, data_dir=data_dir)


@app.command()
def approve(
    tax_id: Supplier,
    *,
    reason: Reason,
    level: Annotated[str, typer.Option(help="A, B or C.")],
    category: Annotated[
        list[str] | None, typer.Option(help="Of those asked for; repeatable; none: all of them.")
    ] = None,
    region: Regions = None,
    until: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The last day; none: when the first needed paper ends.")
    ] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Qualify a supplier for what it asked or a part of it."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as_operator(out, data_dir, email)
        supplier_id = supplier_of(api, tax_id)
        asked = api.get(f"/suppliers/{supplier_id}/application").body
        body = {
            "reason": reason,
            "level": level,
            "categories": category or asked["categories"],
            "regions": region or asked["regions"],
            "until": None if until is None else _day(until),
        }
        application = step(api, supplier_id, "approval", body)
        out.say(f"{', '.join(application['granted'])}: level {application['level']}, until {application['until']}")
        out.result(application)


@app.command()
def reject(
    tax_id: Supplier, *, reason: Reason, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False
) -> None:
    """Reject an application; the supplier's standing stays as it was."""
    out = Out(json=json)
    with failing_well(out):
        _decided(out, tax_id, "rejection", {"reason": reason}, email=email, data_dir=data_dir)


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as problem:
        raise Unusable(f"--until {text!r} is not a date like 2027-12-31.") from problem
