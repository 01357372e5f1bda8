"""Is everything well: services, feeds and their lag, parked events, syncs under way."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import typer

from infra.api import Api, Refused, Unreachable
from infra.commands.console import (
    As,
    DataDir,
    ExitCode,
    JsonFlag,
    Out,
    addresses_of,
    api_as_operator,
    credentials_of,
    failing_well,
    local_time,
)
from infra.instance import DATA_DIR
from infra.signin import ClientTokens

LAG_SECONDS_MAX = 30.0
app = typer.Typer()


@app.command()
def status(*, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """Services, feeds and their lag, parked events, syncs under way; exit code 4 when something lags or is parked."""
    out = Out(json=json)
    with failing_well(out):
        anyone = out.open(addresses_of(data_dir))
        services = [_service(anyone, name) for name in anyone.addresses]
        up = [entry["service"] for entry in services if entry["state"] == "ready"]
        feeds: list[dict[str, Any]] = []
        parked: list[dict[str, Any]] = []
        if "members" in up:
            api = api_as_operator(out, data_dir, email)
            feeds, parked = list(_each(api, up, "followers")), list(_each(api, up, "parked-events"))
        jobs = _syncs(anyone, data_dir) if {"members", "suppliers"} <= set(up) else []
        report = {"services": services, "feeds": feeds, "parked_events": parked, "syncs": jobs}
        _show(out, report)
        out.result(report)
        code = _verdict(services, feeds, parked)
        if code is not ExitCode.DONE:
            raise typer.Exit(code)


def _show(out: Out, report: dict[str, list[dict[str, Any]]]) -> None:
    out.table("Services", ("service", "address", "state"), [tuple(entry.values()) for entry in report["services"]])
    out.table(
        "Feeds",
        ("service", "follows", "lag s", "caught up to", "parked"),
        [
            (feed["service"], feed["source"], feed["lag_seconds"], _moment(feed["caught_up_to"]), feed["parked"])
            for feed in report["feeds"]
        ],
        right=("lag s", "parked"),
    )
    out.table(
        "Parked events",
        ("service", "event", "type", "error"),
        [(event["service"], event["event_id"], event["type"], event["error"]) for event in report["parked_events"]],
    )
    out.table(
        "Last sync of each supplier",
        ("supplier", "state", "rows", "rejected", "begun"),
        [
            (job["supplier"], job["state"], job["rows"], job["rejected"], local_time(job["created_at"]))
            for job in report["syncs"]
        ],
        right=("rows", "rejected"),
    )


def _moment(instant: str | None) -> str:
    return "never" if instant is None else local_time(instant)


def _service(anyone: Api, name: str) -> dict[str, Any]:
    states = {True: "ready", False: "not ready", None: "unreachable"}
    return {"service": name, "address": anyone.addresses[name], "state": states[anyone.is_ready(name)]}


def _each(api: Api, services: list[str], page: str) -> Iterable[dict[str, Any]]:
    for service in services:
        try:
            for entry in api.pages(f"/{service}/operations/{page}"):
                yield {"service": service, **entry}
        except Unreachable:
            continue
        except Refused as problem:
            if problem.status != httpx.codes.NOT_FOUND:
                raise


def _syncs(anyone: Api, data_dir: Path) -> list[dict[str, Any]]:
    """The last sync of every supplier whose key this installation holds; others are not ours to see."""
    found = []
    for key in credentials_of(data_dir).suppliers.values():
        api = anyone.signed_in(ClientTokens(anyone, key))
        for job in api.get(f"/suppliers/{key.company_id}/syncs", limit=1).body:
            counts = job["counts"]
            rows = counts["accepted"] + counts["unchanged"] + counts["rejected"]
            wanted = {name: job[name] for name in ("id", "state", "created_at", "finished_at")}
            found.append({"supplier": key.name, **wanted, "rows": rows, "rejected": counts["rejected"]})
    return found


def _verdict(services: list[dict[str, Any]], feeds: list[dict[str, Any]], parked: list[dict[str, Any]]) -> ExitCode:
    if any(entry["state"] != "ready" for entry in services):
        return ExitCode.UNREACHABLE
    behind = [feed for feed in feeds if feed["lag_seconds"] is None or feed["lag_seconds"] > LAG_SECONDS_MAX]
    return ExitCode.PARTLY if parked or behind else ExitCode.DONE
