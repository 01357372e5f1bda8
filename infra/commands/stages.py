"""`dougong stages`: opening a category of a contractor group step by step, and closing it again."""

from datetime import datetime, timedelta
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
    api_as,
    api_as_operator,
    failing_well,
    local_time,
)
from infra.commands.parties import company_named
from infra.instance import DATA_DIR
from shared import clock

app = typer.Typer(help="Stages: how far a contractor group has opened a category.", no_args_is_help=True)

Category = Annotated[str, typer.Argument(help="A category of the catalog, such as finishes_misc.")]
OfGroup = Annotated[
    str | None, typer.Option("--group", help="Tax id or id of the contractor group; none: your own company.")
]
Reason = Annotated[str, typer.Option(help="It stands in the history.")]
_OPEN = ("DRAFT", "GATES_CHECKED", "APPROVED", "ANNOUNCED", "SUSPENDED")
_NOTICE = timedelta(days=7, minutes=5)


def _stages(api: Api, group: str | None) -> str:
    return f"/members/companies/{company_named(api, group)}/stages"


def _change(api: Api, group: str | None, category: str, *, under_way: bool = True) -> tuple[str, dict[str, Any]]:
    """The address and document of the change that is not finished, or else of the newest that is in effect.

    Raises:
        Unusable: there is none.
    """
    path = f"{_stages(api, group)}/{category}/changes"
    found = list(api.pages(path, limit=200))
    wanted = [each for each in found if each["status"] in _OPEN]
    if not wanted and not under_way:
        wanted = [each for each in found if each["status"] == "EFFECTIVE"]
    if not wanted:
        raise Unusable(f"{category} has no change to act on; `dougong stages propose` drafts one.")
    return f"{path}/{wanted[-1]['id']}", wanted[-1]


def _told(out: Out, change: dict[str, Any]) -> None:
    out.say(f"{change['category']}: {change['from_stage']} to {change['to_stage']} is {change['status']}.")
    if change["gates"]:
        rows = [
            ("yes" if gate["passed"] else "NO", gate["gate"], gate["required"], gate["measured"] or "not measured")
            for gate in change["gates"]
        ]
        out.table("Gates", ("holds", "gate", "needs", "found"), rows)
    approved = [side for side in ("tenant", "operator") if change[f"{side}_approved_at"]]
    if approved:
        out.say(f"Approved by: {', '.join(approved)}.")
    if change["effective_from"]:
        out.say(f"Takes effect from {local_time(change['effective_from'])}.")
    if change["end_reason"]:
        out.say(f"Reason: {change['end_reason']}")
    out.result(change)


@app.command("list")
def list_stages(
    *, group: OfGroup = None, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False
) -> None:
    """The categories a group ever opened; what is not listed is S1, enterprise-private."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        company = company_named(api, group)
        found = api.get(f"/members/companies/{company}/stages").body
        circles = {
            row["circle_id"]: api.get(f"/members/companies/{company}/circles/{row['circle_id']}").body["name"]
            for row in found
            if row["circle_id"] is not None
        }
        rows = [
            (
                row["category"],
                row["stage"],
                circles.get(row["circle_id"], ""),
                local_time(row["since"]),
                ", ".join(row["fallen_gates"]),
            )
            for row in found
        ]
        out.table("Stages", ("category", "stage", "open to circle", "since", "gates that fell since"), rows)
        out.result(found)


@app.command()
def propose(
    category: Category,
    *,
    to: Annotated[str, typer.Option(help="S2 (a circle) or S3 (the market).")],
    circle: Annotated[str | None, typer.Option(help="To S2: the circle's id.")] = None,
    reason: Reason,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Draft a step forward, for your own group."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        body = {"to_stage": to, "circle_id": circle, "reason": reason}
        _told(out, api.post(f"{_stages(api, None)}/{category}/changes", body, key=str(uuid4())).body)


@app.command()
def show(
    category: Category,
    *,
    group: OfGroup = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Where the change under way, or else the one in effect, stands."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        _told(out, _change(api, group, category, under_way=False)[1])


@app.command()
def check(
    category: Category,
    *,
    group: OfGroup = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Check the gates from live data; exit code 4 when one does not hold."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        path, _ = _change(api, group, category)
        checked = api.post(f"{path}/gates", key=str(uuid4())).body
        _told(out, checked)
        if not all(gate["passed"] for gate in checked["gates"] or ()):
            raise typer.Exit(ExitCode.PARTLY)


@app.command()
def approve(
    category: Category,
    *,
    group: OfGroup = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Approve what the gates say: for your own group, or as operator for the one named with --group."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        path, _ = _change(api, group, category)
        side = "tenant" if group is None else "operator"
        _told(out, api.post(f"{path}/approvals/{side}", key=str(uuid4())).body)


@app.command()
def announce(
    category: Category,
    *,
    group: OfGroup = None,
    effective_from: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="ISO 8601 with offset; none: in seven days.")
    ] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Announce an approved change, at least seven days before it takes effect."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        path, _ = _change(api, group, category)
        moment = (clock.now() + _NOTICE).isoformat() if effective_from is None else _moment(effective_from)
        _told(out, api.post(f"{path}/announcement", {"effective_from": moment}, key=str(uuid4())).body)


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise Unusable(f"--from {text!r} is not a time like 2026-05-01T00:00:00+08:00.") from problem
    if moment.tzinfo is None:
        raise Unusable(f"--from {text!r} says no offset, such as +08:00.")
    return moment.isoformat()


@app.command()
def suspend(
    category: Category,
    *,
    reason: Reason,
    group: OfGroup = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Stop a change that is announced or in effect, at once; gates and approvals start anew."""
    _narrow("suspension", category, reason, group=group, email=email, data_dir=data_dir, json=json)


@app.command()
def revert(
    category: Category,
    *,
    reason: Reason,
    group: OfGroup = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Take a change back for good; the stage falls back at once."""
    _narrow("reversal", category, reason, group=group, email=email, data_dir=data_dir, json=json)


def _narrow(
    step: str, category: str, reason: str, *, group: str | None, email: As, data_dir: DataDir, json: bool
) -> None:
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        path, _ = _change(api, group, category, under_way=False)
        _told(out, api.post(f"{path}/{step}", {"reason": reason}, key=str(uuid4())).body)


@app.command()
def evidence(
    kind: Annotated[
        str,
        typer.Argument(
            help="confidentiality_suite, external_audit, rules_published, operator_neutrality, export_drill, "
            "public_tender_duty."
        ),
    ],
    state: Annotated[str, typer.Argument(help="green, passed, in_force, draft, stated, applies …")],
    *,
    reference: Annotated[str, typer.Option(help="Where it can be read.")],
    on: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="The day it happened; none: today.")] = None,
    group: OfGroup = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Put on record what the gates need and no service measures (operator); --group for a duty to tender alone."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as_operator(out, data_dir, email)
        body = {
            "kind": kind,
            "state": state,
            "on": on or clock.business_date(clock.now()).isoformat(),
            "reference": reference,
            "group_id": None if group is None else company_named(api, group),
        }
        kept = api.post("/members/gate-evidence", body, key=str(uuid4())).body
        out.say(f"{kept['kind']} is {kept['state']} since {kept['on']}.")
        out.result(kept)


@app.command()
def report(
    category: Category,
    *,
    group: OfGroup = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """What becomes visible to whom by the change under way, counted over the offers there are now."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        path, _ = _change(api, group, category, under_way=False)
        told = api.get(f"{path}/report").body
        out.table(
            f"{told['category']}: {told['from_stage']} to {told['to_stage']}, at most",
            ("object", "before", "after"),
            [(line["kind"], line["before"], line["after"]) for line in told["lines"]],
        )
        live = told["live"]
        if live is None:
            out.note("suppliers does not answer: nothing was counted.")
        else:
            out.table(
                f"{live['suppliers']} suppliers with {live['offers']} offers",
                ("viewer", "offers opened", "of suppliers", "offers closed"),
                [
                    (each["viewer"], each["offers_opened"], each["suppliers_opened"], each["offers_closed"])
                    for each in live["viewers"]
                ],
                right=("offers opened", "of suppliers", "offers closed"),
            )
        out.result(told)
