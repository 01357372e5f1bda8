"""Scores of suppliers: what they are, what they rest on, and appeals against an input."""

from typing import Annotated, Any
from uuid import UUID, uuid4

import typer

from infra.api import Api, Refused
from infra.commands.console import As, DataDir, JsonFlag, Out, Unusable, api_as, failing_well, local_time
from infra.commands.parties import names_of
from infra.instance import DATA_DIR

PATH = "/suppliers/scores"
app = typer.Typer(help="Scores from facts: of your suppliers, or your own.", no_args_is_help=True)

Supplier = Annotated[
    str | None, typer.Option(help="Tax id or id of the supplier, as contractor; none: your own scores, as supplier.")
]


@app.command()
def show(*, supplier: Supplier = None, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """Scores by category; a dash is no data."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        if supplier is None:
            try:
                found: Any = api.get(f"{PATH}/mine").body
            except Refused as problem:
                if problem.code == "RightMissing":
                    raise Unusable("Your own scores are a supplier's; name one with --supplier.") from None
                raise
            scores = found
        else:
            found = api.get(f"{PATH}/of/{_id_of(api, supplier)}").body
            scores = found["own"]
        known = [name for name in _names(scores) if any(score["dimensions"][name] for score in scores)]
        groups = names_of(api, [score["group_id"] for score in scores])
        rows = [
            (
                groups[score["group_id"]],
                score["category"],
                score["overall"] or "new",
                score["orders"],
                *(score["dimensions"][name] or "-" for name in known),
            )
            for score in scores
        ]
        columns = ("group", "category", "score", "orders", *known)
        out.table("Scores", columns, rows, right=columns[2:])
        out.result(found)


def _names(scores: list[dict[str, Any]]) -> list[str]:
    return list(scores[0]["dimensions"]) if scores else []


@app.command()
def inputs(
    *,
    category: Annotated[str, typer.Option(help="A category of the catalog.")],
    supplier: Supplier = None,
    group: Annotated[str | None, typer.Option(help="As supplier: only with this contractor group.")] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """What a score rests on, order by order."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        whose = None if supplier is None else _id_of(api, supplier)
        found = list(api.pages(f"{PATH}/inputs", category=category, supplier_id=whose, group_id=group, limit=200))
        names = names_of(api, [each["group_id"] for each in found])
        rows = [
            (
                each["order_number"],
                names[each["group_id"]],
                local_time(each["placed_at"]),
                "-" if each["answered_at"] is None else local_time(each["answered_at"]),
                ", ".join(line["outcome"] for line in each["lines"]),
                each["excluded_reason"],
                each["order_id"],
            )
            for each in found
        ]
        out.table("Inputs", ("order", "group", "placed", "answered", "lines", "excluded because", "id"), rows)
        out.result(found)


@app.command()
def appeal(
    order: Annotated[str, typer.Argument(help="Id of the order, as `dougong scores inputs` shows it.")],
    *,
    group: Annotated[str, typer.Option(help="The contractor group whose score it is.")],
    category: Annotated[str, typer.Option(help="The category of the score.")],
    words: Annotated[str, typer.Option("--text", help="Why the input is wrong.")],
    evidence: Annotated[str | None, typer.Option(help="Where your evidence is found.")] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Appeal against an input of your score (supplier)."""
    out = Out(json=json)
    with failing_well(out):
        body = {"group_id": group, "category": category, "order_id": order, "text": words, "evidence": evidence}
        filed = api_as(out, data_dir, email).post(f"{PATH}/appeals", body, key=f"appeal-{uuid4().hex}").body
        out.say(f"Appeal {filed['id']} is {filed['status']}.")
        out.result(filed)


@app.command()
def evaluations(
    supplier: Annotated[str, typer.Argument(help="Id or tax id; your own, to read what was written about you.")],
    *,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """What people wrote about a supplier, and what it says to that."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        found = list(api.pages(f"{PATH}/of/{_id_of(api, supplier)}/evaluations", limit=200))
        columns = ("dated_on", "category", "dimension", "score", "reason", "reply", "id")
        rows = [[each[name] for name in columns] for each in found]
        out.table("Evaluations", columns, rows, right=("score",))
        out.result(found)


@app.command()
def reply(
    evaluation: Annotated[str, typer.Argument(help="Id of the evaluation, as `dougong scores evaluations` shows it.")],
    *,
    words: Annotated[str, typer.Option("--text", help="What your company says to it.")],
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Reply, once, to what a contractor wrote about your company (supplier)."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        said = api.post(f"{PATH}/evaluations/{evaluation}/reply", {"text": words}, key=f"reply-{uuid4().hex}").body
        out.say("Replied; whoever reads the evaluation reads it too.")
        out.result(said)


def _id_of(api: Api, supplier: str) -> str:
    """The id of a supplier named by its id or tax id.

    Raises:
        Unusable: there is none.
    """
    try:
        return str(UUID(supplier))
    except ValueError:
        wanted = supplier.strip().upper()
    for each in api.pages("/suppliers", limit=200):
        if each["tax_id"] == wanted:
            return str(each["company_id"])
    raise Unusable(f"No supplier has the tax id {supplier}.")
