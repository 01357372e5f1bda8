"""The metrics that show the change from one contractor's platform to a marketplace (domain.md 3.6)."""

from typing import Annotated, Any

import typer

from infra.commands.console import As, DataDir, JsonFlag, Out, api_as, api_as_operator, failing_well
from infra.instance import DATA_DIR

app = typer.Typer()


@app.command()
def metrics(
    *,
    begin: Annotated[str | None, typer.Option("--from", help="First month, e.g. 2026-09.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last month.")] = None,
    platform: Annotated[bool, typer.Option("--platform", help="Of all groups together, for operators.")] = False,
    only: Annotated[list[str] | None, typer.Option("--only", help="These metrics, e.g. M1.")] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Metrics M1-M15 by month, category and stage; what has no data yet says why."""
    out = Out(json=json)
    with failing_well(out):
        api = (api_as_operator if platform else api_as)(out, data_dir, email)
        whole = "/platform" if platform else ""
        found = [
            *api.get(f"/orders/metrics{whole}", from_month=begin, until_month=end).body,
            *api.get(f"/suppliers/metrics{whole}").body,
            *api.get("/members/metrics").body,
        ]
        found = [each for each in found if not only or each["metric"] in only]
        found.sort(key=lambda each: (int(each["metric"][1:]), each["name"], each["month"], each["category"] or ""))
        out.table(
            "Metrics",
            ("", "metric", "month", "category", "stage", "value", "cases", ""),
            [_row(each) for each in found if each["value"] is not None],
            right=("value", "cases"),
        )
        missing = {f"{each['metric']} {each['name']}: {each['reason']}" for each in found if each["value"] is None}
        for line in sorted(missing, key=lambda text: int(text[1:].split()[0])):
            out.say(f"no data  {line}")
        out.result(found)


def _row(each: dict[str, Any]) -> tuple[Any, ...]:
    value = f"{each['value']} {each['unit']}" if each["unit"] not in {"share", "index", "ratio"} else each["value"]
    return (
        each["metric"],
        each["name"],
        each["month"],
        each["category"] or "all",
        each["stage"] or "all",
        value,
        each["cases"],
        {"up": "higher is better", "down": "lower is better"}.get(each["good"], ""),
    )
