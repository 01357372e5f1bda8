"""Purchase orders: what there is, and one of them in full."""

from typing import Annotated, Any
from uuid import uuid4

import typer

from infra.api import Api
from infra.commands.console import As, DataDir, JsonFlag, Out, Unusable, api_as, failing_well, local_time, price_text
from infra.instance import DATA_DIR

PATH = "/orders/purchase-orders"
app = typer.Typer(help="Purchase orders, as buyer or as supplier.", no_args_is_help=True)


@app.command("list")
def list_(
    *,
    limit: Annotated[int, typer.Option(min=1, max=200, help="The newest so many.")] = 20,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """The newest orders of your company."""
    out = Out(json=json)
    with failing_well(out):
        orders = api_as(out, data_dir, email).get(PATH, limit=limit).body
        show_summaries(out, orders)
        out.result(orders)


@app.command()
def show(
    order: Annotated[str | None, typer.Argument(help="Number (PO-2026-000123) or id; the newest when absent.")] = None,
    *,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """One order with its lines, states and totals."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        found = api.get(f"{PATH}/{_id_of(api, order)}").body
        show_order(out, found)
        out.result(found)


@app.command()
def accept(
    order: Annotated[str, typer.Argument(help="Number (PO-2026-000123) or id.")],
    *,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Accept every open line, as its supplier; lines to change or reject are answered by the API."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        path = f"{PATH}/{_id_of(api, order)}"
        version = api.get(path).headers["ETag"]
        answered = api.post(f"{path}/response", {"others": "accept"}, key=f"accept-{uuid4().hex}", version=version).body
        show_order(out, answered)
        out.result(answered)


def _id_of(api: Api, order: str | None) -> str:
    """The id of an order named by number, by id, or not at all.

    Raises:
        Unusable: there is none of that number.
    """
    if order is not None and not order.upper().startswith("PO-"):
        return order
    found = api.get(PATH, limit=1, number=order.upper() if order else None).body
    if not found:
        raise Unusable(f"There is no order {order} among yours." if order else "There are no orders yet.")
    return str(found[0]["id"])


def show_summaries(out: Out, orders: list[dict[str, Any]]) -> None:
    """Orders as a list."""
    out.table(
        "Purchase orders",
        ("number", "state", "awaits", "supplier", "project", "gross", "placed"),
        [
            (
                order["number"],
                order["state"],
                ", ".join(order["awaits"]),
                order["supplier"]["name"],
                order["project"]["name"],
                f"{order['gross']} {order['currency']}",
                local_time(order["placed_at"]),
            )
            for order in orders
        ],
        right=("gross",),
    )


def show_order(out: Out, order: dict[str, Any]) -> None:
    """One order with its lines."""
    out.say(f"{order['number']}  {order['state']}  version {order['version']}")
    out.say(f"  buyer     {order['buyer']['name']}")
    out.say(f"  supplier  {order['supplier']['name']}")
    out.say(f"  project   {order['project']['name']}, to {order['delivery']['name']} ({order['delivery']['address']})")
    if order["awaits"]:
        out.say(f"  awaits    {', '.join(order['awaits'])}")
    out.table(
        "",
        ("line", "component", "brand", "quantity", "unit", "price", "gross", "need by", "promised", "state"),
        [
            (
                line["line_no"],
                line["name_zh"],
                line["brand"],
                line["quantity"],
                line["unit"],
                f"{price_text(line['unit_price'])}/{line['price_unit']}",
                line["gross"],
                line["need_by"],
                line["promised_by"],
                line["state"] + (" *" if line["pending_change"] else ""),
            )
            for line in order["lines"]
        ],
        right=("line", "quantity", "price", "gross"),
    )
    totals = order["totals"]
    out.say(f"net {totals['net']}  tax {totals['tax']}  gross {totals['gross']} {order['currency']}")
    if any(line["pending_change"] for line in order["lines"]):
        out.say("* a change is proposed and not decided")
