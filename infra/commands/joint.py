"""Joint purchasing notices: groups of a circle pool what they want (buyers of a contractor group)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import uuid4

import typer

from infra.commands.console import As, DataDir, JsonFlag, Out, Unusable, api_as, failing_well, local_time
from infra.instance import DATA_DIR
from shared.clock import BUSINESS_ZONE

app = typer.Typer(help="Buy together with other groups of your circle.", no_args_is_help=True)

_PATH = "/orders/joint-notices"
_COLUMNS = ("category", "title", "region", "month", "closes", "status", "groups", "id")
_LINE_COLUMNS = ("line", "type", "unit", "groups", "pool", "yours")
Notice = Annotated[str, typer.Argument(help="The notice's id, from `dougong joint list`.")]
Wanted = Annotated[list[str], typer.Argument(metavar="LINE=QUANTITY…", help="Such as 1=120 2=40.")]


def _shown(notice: dict[str, Any]) -> tuple[Any, ...]:
    return (
        notice["category"],
        notice["title"],
        notice["region"],
        notice["month"][:7],
        local_time(notice["closes_at"]),
        notice["status"],
        notice["participants"],
        notice["id"],
    )


def _pool(pool: dict[str, Any]) -> str:
    if pool["total"] is not None:
        return str(pool["total"])
    return "none" if pool["below"] is None else f"{pool['at_least']} to under {pool['below']}"


def _show(out: Out, notice: dict[str, Any]) -> None:
    out.table("", _COLUMNS, [_shown(notice)])
    lines = [
        (
            line["line_no"],
            line["variant_key"] or line["type_code"],
            line["unit"],
            line["groups"],
            _pool(line["pool"]),
            line["own_quantity"],
        )
        for line in notice["lines"]
    ]
    out.table("Lines", _LINE_COLUMNS, lines, right=("groups", "yours"))
    out.result(notice)


def _line(text: str) -> dict[str, Any]:
    """TYPE:UNIT or TYPE:UNIT=QUANTITY.

    Raises:
        Unusable: it is neither.
    """
    named, _, quantity = text.partition("=")
    type_code, colon, unit = named.rpartition(":")
    if not (colon and type_code and unit):
        raise Unusable(f"{text!r} is no line; write TYPE:UNIT or TYPE:UNIT=QUANTITY, such as DOOR-FIRE:pcs=120.")
    return {"type_code": type_code, "unit": unit, "quantity": quantity or None}


def _wanted(texts: list[str]) -> list[dict[str, Any]]:
    """Raises Unusable."""
    wanted = []
    for text in texts:
        line_no, equals, quantity = text.partition("=")
        if not (equals and line_no.isascii() and line_no.isdigit() and quantity):
            raise Unusable(f"{text!r} is not LINE=QUANTITY, such as 1=120.")
        wanted.append({"line_no": int(line_no), "quantity": quantity})
    return wanted


def _closing(text: str) -> str:
    """Raises Unusable."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Unusable(f"{text!r} is no moment; write 2026-12-31T18:00.") from None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=BUSINESS_ZONE)).isoformat()


@app.command("open")
def open_notice(
    title: Annotated[str, typer.Argument(help="What is bought together.")],
    *,
    category: Annotated[str, typer.Option(help="The category; your group has opened it to the circle.")],
    line: Annotated[list[str], typer.Option("--line", metavar="TYPE:UNIT[=QUANTITY]", help="Repeat for several.")],
    region: Annotated[str, typer.Option(help="GB/T 2260 code.")],
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="When it is wanted.")],
    closes: Annotated[str, typer.Option(metavar="TIME", help="Until when groups may join.")],
    circle: Annotated[str | None, typer.Option(help="At S3: a circle your group stands in.")] = None,
    note: Annotated[str | None, typer.Option(help="For the other groups.")] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Propose a joint purchase to the groups of your circle; contracts stay separate."""
    out = Out(json=json)
    with failing_well(out):
        body = {
            "category": category,
            "circle_id": circle,
            "title": title,
            "note": note,
            "region": region,
            "month": f"{month}-01",
            "closes_at": _closing(closes),
            "lines": [_line(each) for each in line],
        }
        api = api_as(out, data_dir, email)
        _show(out, api.post(_PATH, body, key=f"joint-{uuid4().hex}").body)


@app.command("list")
def list_notices(
    *,
    status: Annotated[str | None, typer.Option(help="OPEN, CLOSED or CANCELLED.")] = None,
    category: Annotated[str | None, typer.Option(help="Only of this category.")] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Notices your group opened, takes part in, or may join."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        found = list(api.pages(_PATH, status=status, category=category, limit=200))
        out.table("Joint purchasing notices", _COLUMNS, [_shown(notice) for notice in found])
        out.result(found)


@app.command()
def show(notice: Notice, *, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """A notice with its pool and what your own group wants."""
    out = Out(json=json)
    with failing_well(out):
        _show(out, api_as(out, data_dir, email).get(f"{_PATH}/{notice}").body)


@app.command()
def join(
    notice: Notice, wanted: Wanted, *, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False
) -> None:
    """Join with all that your group wants; again: it replaces what your group wanted before."""
    out = Out(json=json)
    with failing_well(out):
        body = {"lines": _wanted(wanted)}
        api = api_as(out, data_dir, email)
        _show(out, api.post(f"{_PATH}/{notice}/participation", body, key=f"join-{uuid4().hex}").body)


@app.command()
def withdraw(notice: Notice, *, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """Leave before it closes."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        _show(out, api.post(f"{_PATH}/{notice}/withdrawal", key=f"withdraw-{uuid4().hex}").body)


@app.command()
def cancel(
    notice: Notice,
    *,
    reason: Annotated[str, typer.Option(help="Told to all who see the notice.")],
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Cancel a notice your group opened."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        _show(out, api.post(f"{_PATH}/{notice}/cancellation", {"reason": reason}, key=f"cancel-{uuid4().hex}").body)


@app.command()
def result(notice: Notice, *, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """The result document of a notice that has closed, for those who take part."""
    out = Out(json=json)
    with failing_well(out):
        document = api_as(out, data_dir, email).get(f"{_PATH}/{notice}/result").body
        rows = [
            (
                line["line_no"],
                line["variant_key"] or line["type_code"],
                line["unit"],
                line["groups"],
                _pool(line["pool"]),
            )
            for line in document["lines"]
        ]
        out.say(f"Closed {local_time(document['closed_at'])}; {len(document['participant_ids'])} groups take part.")
        out.table("Pooled", ("line", "type", "unit", "groups", "pool"), rows, right=("groups",))
        out.result(document)
