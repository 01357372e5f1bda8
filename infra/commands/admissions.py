"""`dougong admissions` and `dougong consents`: whom a group buys from, and what suppliers let others read."""

from datetime import date
from typing import Annotated, Any
from uuid import uuid4

import typer

from infra.api import Api
from infra.commands.console import As, DataDir, JsonFlag, Out, Unusable, api_as, failing_well, local_time
from infra.commands.parties import company_named, names_of
from infra.instance import DATA_DIR

app = typer.Typer(help="Admissions: which suppliers a contractor group buys from, by category.", no_args_is_help=True)
consents = typer.Typer(help="Consents: what a supplier lets others read of its record.", no_args_is_help=True)

OnBehalf = Annotated[
    str | None,
    typer.Option("--group", help="For operators: tax id or id of the group for which it is recorded or looked up."),
]
Admission = Annotated[str, typer.Argument(help="The admission's id.")]
Reason = Annotated[str, typer.Option(help="It stands in the history.")]


def _admissions_table(out: Out, api: Api, found: list[dict[str, Any]]) -> None:
    names = names_of(api, [row[side] for row in found for side in ("supplier_id", "group_id")])
    rows = [
        (
            names[row["supplier_id"]],
            names[row["group_id"]],
            row["category"],
            row["status"],
            row["grade"],
            row["until"],
            row["id"],
        )
        for row in found
    ]
    out.table("Admissions", ("supplier", "by group", "category", "status", "grade", "until", "id"), rows)
    out.result(found)


@app.command("grant")
def grant(
    supplier: Annotated[str, typer.Argument(help="Tax id or id of the supplier.")],
    *,
    category: Annotated[list[str], typer.Option(help="A category; may be repeated.")],
    reason: Reason,
    level: Annotated[str | None, typer.Option(help="The group's own class.")] = None,
    grade: Annotated[str | None, typer.Option(help="The group's own grade.")] = None,
    until: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="The last day.")] = None,
    evidence: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND:YYYY-MM-DD:REFERENCE", help="sample_test, site_visit, trial_order or other."),
    ] = None,
    relies_on: Annotated[str | None, typer.Option(help="Another group's admission that yours recognises.")] = None,
    consent: Annotated[str | None, typer.Option(help="With --relies-on: the supplier's consent.")] = None,
    group: OnBehalf = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Admit a supplier for categories; again: renew it, or lift a suspension."""
    out = Out(json=json)
    with failing_well(out):
        if (relies_on is None) != (consent is None):
            raise Unusable("--relies-on and --consent belong together.")
        api = api_as(out, data_dir, email)
        body = {
            "group_id": None if group is None else company_named(api, group),
            "categories": category,
            "level": level,
            "grade": grade,
            "until": None if until is None else _day(until, "--until"),
            "evidence": [_evidence(each) for each in evidence or ()],
            "relies_on": None if relies_on is None else {"admission_id": relies_on, "consent_id": consent},
            "reason": reason,
        }
        path = f"/suppliers/{company_named(api, supplier)}/admissions"
        _admissions_table(out, api, api.post(path, body, key=str(uuid4())).body)


@app.command("list")
def list_admissions(
    *,
    supplier: Annotated[str | None, typer.Option(help="Tax id or id of a supplier.")] = None,
    category: Annotated[str | None, typer.Option(help="Only in this category.")] = None,
    status: Annotated[str | None, typer.Option(help="ADMITTED, SUSPENDED, LAPSED or ENDED.")] = None,
    group: OnBehalf = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Those your group decided, or those about you when you sell."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        found = api.pages(
            "/suppliers/admissions",
            supplier_id=None if supplier is None else company_named(api, supplier),
            group_id=None if group is None else company_named(api, group),
            category=category,
            status=status,
            limit=200,
        )
        _admissions_table(out, api, list(found))


@app.command("suspend")
def suspend(
    admission: Admission,
    *,
    reason: Reason,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Stop new business with the supplier in this category, at once."""
    _decide(admission, "suspension", reason, email=email, data_dir=data_dir, json=json)


@app.command("end")
def end(
    admission: Admission,
    *,
    reason: Reason,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """End an admission for good."""
    _decide(admission, "ending", reason, email=email, data_dir=data_dir, json=json)


def _decide(admission: str, step: str, reason: str, *, email: As, data_dir: DataDir, json: bool) -> None:
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        path = f"/suppliers/admissions/{admission}"
        version = api.get(path).headers["ETag"]
        done = api.post(f"{path}/{step}", {"reason": reason}, key=str(uuid4()), version=version).body
        out.say(f"The admission is {done['status']}.")
        out.result(done)


@app.command("history")
def history(admission: Admission, *, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """Who decided what and why, and whether the hash chain holds."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        _history(out, api.get(f"/suppliers/admissions/{admission}/history").body, what="decision")


def _history(out: Out, told: dict[str, Any], *, what: str) -> None:
    rows = [(each["number"], each["entry"]["at"], each["entry"][what], each["hash"][:16]) for each in told["entries"]]
    out.table("History", ("no.", "at", "what", "hash"), rows)
    out.say("The hash chain holds." if told["intact"] else "THE HASH CHAIN IS BROKEN.")
    out.result(told)


@consents.command("record")
def record(
    *,
    what: Annotated[
        list[str],
        typer.Option(help="profile, qualification_documents, qualification_decision, evaluation; may be repeated."),
    ],
    until: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The last day.")],
    group: Annotated[str | None, typer.Option(help="Tax id or id of the contractor group it is for.")] = None,
    circle: Annotated[str | None, typer.Option(help="Id of the circle it is for.")] = None,
    members: Annotated[bool, typer.Option("--members", help="For every company that takes part.")] = False,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Let a group, a circle or every member read parts of your record."""
    out = Out(json=json)
    with failing_well(out):
        if sum((group is not None, circle is not None, members)) != 1:
            raise Unusable("Say one of --group, --circle and --members.")
        api = api_as(out, data_dir, email)
        audience = "ORG" if group is not None else "CIRCLE" if circle is not None else "MEMBERS"
        body = {
            "what": what,
            "audience": audience,
            "to_id": company_named(api, group) if group is not None else circle,
            "until": _day(until, "--until"),
        }
        made = api.post("/suppliers/consents", body, key=str(uuid4())).body
        out.say(f"Consent {made['id']} is recorded, until {made['until']}.")
        out.result(made)


@consents.command("list")
def list_consents(*, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """All you ever gave."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        found = list(api.pages("/suppliers/consents", limit=200))
        names = names_of(api, [row["to_id"] for row in found if row["audience"] == "ORG"])
        reaches = {"MEMBERS": "every member"}
        rows = [
            (
                ", ".join(row["what"]),
                names.get(row["to_id"]) or reaches.get(row["audience"], f"circle {row['to_id']}"),
                row["until"],
                local_time(row["revoked_at"]) if row["revoked_at"] else "",
                row["id"],
            )
            for row in found
        ]
        out.table("Consents", ("what", "to", "until", "revoked", "id"), rows)
        out.result(found)


@consents.command("revoke")
def revoke(
    consent: Annotated[str, typer.Argument(help="The consent's id.")],
    *,
    reason: Reason,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Take a consent back; from now on nobody reads under it."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        done = api.post(f"/suppliers/consents/{consent}/revocation", {"reason": reason}, key=str(uuid4())).body
        out.say(f"The consent is revoked since {done['revoked_at']}.")
        out.result(done)


@consents.command("profile")
def profile(
    supplier: Annotated[str, typer.Argument(help="Tax id or id of the supplier.")],
    *,
    consent: Annotated[str | None, typer.Option(help="The supplier's consent.")] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """What you may read of a supplier's record, by its consent."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        path = f"/suppliers/{company_named(api, supplier)}/portable-profile"
        told = api.get(path, consent_id=consent).body
        out.say(f"{told['name']} ({told['tax_id']}); documents: {told['documents']}, evaluation: {told['evaluation']}.")
        names = names_of(api, [each["group_id"] for each in told["decisions"]])
        rows = [
            (
                each["category"],
                names[each["group_id"]],
                each["decided_on"],
                each["form"],
                each["grade"],
                each["admission_id"],
            )
            for each in told["decisions"]
        ]
        out.table("Decisions", ("category", "of group", "on", "form", "grade", "id"), rows)
        out.result(told)


def _evidence(text: str) -> dict[str, str]:
    kind, _, rest = text.partition(":")
    day, _, reference = rest.partition(":")
    if not (kind and day and reference):
        raise Unusable(f"--evidence {text!r} is not KIND:YYYY-MM-DD:REFERENCE.")
    return {"kind": kind, "on": _day(day, "--evidence"), "reference": reference}


def _day(text: str, option: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as problem:
        raise Unusable(f"{option} {text!r} is not a date like 2027-12-31.") from problem
