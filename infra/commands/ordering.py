"""`dougong order FILE`: a material list becomes purchase orders."""

from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from infra.api import Api, Refused
from infra.commands.console import As, DataDir, ExitCode, JsonFlag, Out, Unusable, api_as, failing_well, price_text
from infra.commands.orders import show_summaries
from infra.instance import DATA_DIR
from infra.material_list import ListUnreadable, MaterialLine, read_material_list
from infra.purchasing import Basket, Choice, basket_key, choose, place, totals_by_supplier
from shared import clock

app = typer.Typer()
_USED_KEY = {"IdempotencyKeyReused", "ReservationOver", "ReservationExpired"}


@app.command()
def order(
    file: Annotated[Path, typer.Argument(help="Material list, CSV or XLSX: code or name and properties, quantity, …")],
    *,
    project: Annotated[
        str | None, typer.Option(help="Number or id of the project; asked for when there are several.")
    ] = None,
    deliver_to: Annotated[
        str | None, typer.Option(help="Name or id of the delivery point; the first when absent.")
    ] = None,
    currency: Annotated[str, typer.Option(help="Currency of the offers.")] = "CNY",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Order without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what fits.")] = False,
    partial: Annotated[bool, typer.Option("--partial", help="Order what fits, leave out the rest.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Order a list that was ordered before once more.")] = False,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Show which offers fit a material list, and order the cheapest ones when you say yes.

    The same list for the same project is ordered once, however often it is sent. Exit code 4: some lines have no
    offer (nothing is ordered, unless --partial).
    """
    out = Out(json=json)
    with failing_well(out):
        content, lines = _read(file)
        api = api_as(out, data_dir, email)
        where = _project(api, project, may_ask=not (yes or json))
        point = _delivery_point(where, deliver_to)
        with out.errors.status(f"Matching {len(lines)} lines …"):
            choices = choose(api, lines, region=point["region"], currency=currency)
        _show_choices(out, choices, currency=currency)
        report = _report(where, point, choices)
        missing = [choice for choice in choices if not choice.chosen]
        orderable = not missing or (partial and len(missing) < len(choices))
        if orderable and not dry_run and (yes or _confirmed(out, json=json)):
            key = basket_key(
                content, project_id=where["id"], delivery_point_id=point["id"], again=uuid4().hex if again else ""
            )
            basket = Basket(
                project_id=where["id"],
                delivery_point_id=point["id"],
                currency=currency,
                note=f"Material list {file.name}",
                key=key,
            )
            report |= _place(out, api, choices, basket)
        out.result(report)
        if missing:
            fate = "were left out" if report["placement"] else "have no offer that fits; nothing is ordered"
            out.note(f"{len(missing)} of {len(choices)} lines {fate}.")
            raise typer.Exit(ExitCode.PARTLY)


def _report(project: dict[str, Any], point: dict[str, Any], choices: list[Choice]) -> dict[str, Any]:
    return {
        "project": project["number"],
        "deliver_to": point["name"],
        "lines": [choice.document() for choice in choices],
        "suppliers": totals_by_supplier(choices),
        "placement": None,
        "replayed": False,
    }


def _place(out: Out, api: Api, choices: list[Choice], basket: Basket) -> dict[str, Any]:
    try:
        answer = place(api, choices, basket)
    except Refused as problem:
        if problem.code in _USED_KEY:
            out.note("This list was sent for this project before; --again orders it once more.")
        raise
    replayed = answer.headers.get("Idempotency-Replayed") == "true"
    if replayed:
        out.say("This list was ordered for this project before; nothing new was ordered (--again orders it again).")
    show_summaries(out, [{**order, "gross": order["totals"]["gross"]} for order in answer.body["orders"]])
    return {"placement": answer.body, "replayed": replayed}


def _read(file: Path) -> tuple[bytes, list[MaterialLine]]:
    try:
        content = file.read_bytes()
        return content, read_material_list(content, name=file.name, today=clock.business_date(clock.now()))
    except OSError as problem:
        raise Unusable(f"{file} cannot be read: {problem.strerror}.") from problem
    except ListUnreadable as problem:
        raise Unusable(str(problem)) from problem


def _project(api: Api, wanted: str | None, *, may_ask: bool) -> dict[str, Any]:
    """The project with its delivery points.

    Raises:
        Unusable: there is none of that name, or several and nobody to ask.
    """
    known = list(api.pages("/orders/projects", status="ACTIVE"))
    if wanted is None and len(known) > 1 and may_ask:
        for number, project in enumerate(known, 1):
            typer.echo(f"  {number}  {project['number']}  {project['name']}", err=True)
        picked = typer.prompt("For which project", type=int, err=True)
        known = known[picked - 1 : picked] if picked > 0 else []
    elif wanted is not None:
        known = [project for project in known if wanted in {project["number"], project["id"], project["name"]}]
    if len(known) != 1:
        numbers = ", ".join(project["number"] for project in known) or "none"
        raise Unusable(f"Name the project with --project; there are: {numbers}.")
    found: dict[str, Any] = api.get(f"/orders/projects/{known[0]['id']}").body
    return found


def _delivery_point(project: dict[str, Any], wanted: str | None) -> dict[str, Any]:
    points = [point for point in project["delivery_points"] if point["active"]]
    chosen = [point for point in points if wanted is None or wanted in {point["name"], point["id"]}]
    if not chosen:
        names = ", ".join(point["name"] for point in points) or "none"
        raise Unusable(f"{project['number']} has no delivery point {wanted or ''}; it has: {names}.")
    found: dict[str, Any] = chosen[0]
    return found


def _show_choices(out: Out, choices: list[Choice], *, currency: str) -> None:
    rows = []
    for choice in choices:
        quoted = choice.quoted if choice.chosen else None
        wanted = choice.candidates[0]["name_zh"] if choice.candidates else choice.line.wanted
        asked = (choice.line.row, wanted, f"{choice.line.quantity} {choice.unit}", choice.line.need_by)
        if quoted is None:
            rows.append((*asked, f"— {choice.status}: {'; '.join(choice.why[:2])}", "", "", ""))
            continue
        supplier = " ".join(part for part in (quoted["supplier_name"], quoted["brand"]) if part)
        price = f"{price_text(quoted['unit_price'])}/{quoted['price_unit']}"
        rows.append((*asked, supplier, price, quoted["gross"], quoted["promised_by"]))
    out.table(
        "What fits",
        ("line", "component", "quantity", "need by", "supplier, brand", "price", "gross", "promised"),
        rows,
        right=("line", "quantity", "price", "gross"),
    )
    totals = totals_by_supplier(choices)
    out.table(
        f"By supplier, {currency}",
        ("supplier", "lines", "net", "tax", "gross"),
        [tuple(entry.values()) for entry in totals]
        + [("all", *(sum(entry[name] for entry in totals) for name in ("lines", "net", "tax", "gross")))],
        right=("lines", "net", "tax", "gross"),
    )


def _confirmed(out: Out, *, json: bool) -> bool:
    if json:
        raise Unusable("With --json there is nobody to ask: --yes orders, --dry-run only shows.")
    if typer.confirm("Order this?", default=False, err=True):
        return True
    out.say("Nothing was ordered.")
    return False
