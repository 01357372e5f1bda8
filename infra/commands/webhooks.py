"""Webhooks of the company you act for: where it is told of what concerns it (its admin)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import uuid4

import typer

from infra.api import Api
from infra.commands.console import As, DataDir, JsonFlag, Out, Unusable, api_as, failing_well, local_time
from infra.instance import DATA_DIR
from shared.clock import BUSINESS_ZONE

app = typer.Typer(help="Webhooks: be told at your own address of what concerns you.", no_args_is_help=True)

Endpoint = Annotated[str, typer.Argument(help="The endpoint's id, from `dougong webhooks list`.")]
_COLUMNS = ("events", "state", "last delivered", "failing since", "url", "id")
_LOG_COLUMNS = ("event", "happened", "state", "attempts", "last answer", "id")


def _opened(out: Out, *, email: str | None, data_dir: Any) -> tuple[Api, str]:
    """The services, and the address of the company's endpoints.

    Raises:
        Unusable: the sign-in acts for no company.
    """
    api = api_as(out, data_dir, email)
    company = api.get("/members/me").body["company"]
    if company is None:
        raise Unusable("Webhooks belong to a company; sign in for one.")
    return api, f"/members/companies/{company['id']}/webhooks"


def _shown(endpoint: dict[str, Any]) -> tuple[Any, ...]:
    why = endpoint["disabled_why"]
    return (
        ", ".join(endpoint["event_types"]),
        endpoint["status"] if why is None else f"{endpoint['status']} ({why})",
        _time(endpoint["last_delivered_at"]),
        _time(endpoint["failing_since"]),
        endpoint["url"],
        endpoint["id"],
    )


def _time(instant: str | None) -> str:
    return "" if instant is None else local_time(instant)


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="https://…, at public addresses.")],
    *,
    event: Annotated[list[str], typer.Option("--event", "-e", help="An event type; repeat it for several.")],
    description: Annotated[str, typer.Option(help="For your own people.")] = "",
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Register an endpoint; its secret is shown this once."""
    out = Out(json=json)
    with failing_well(out):
        api, path = _opened(out, email=email, data_dir=data_dir)
        body = {"url": url, "event_types": event, "description": description}
        made = api.post(path, body, key=f"webhook-{uuid4().hex}").body
        out.say(f"{made['url']} is told from now on; endpoint {made['id']}.")
        out.say(f"Secret, shown this once: {made['secret']}")
        out.result(made)


@app.command("list")
def list_endpoints(*, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """The company's endpoints and how they do."""
    out = Out(json=json)
    with failing_well(out):
        api, path = _opened(out, email=email, data_dir=data_dir)
        found = list(api.pages(path, limit=200))
        out.table("Endpoints", _COLUMNS, [_shown(endpoint) for endpoint in found])
        out.result(found)


@app.command()
def rotate(
    endpoint: Endpoint,
    *,
    overlap: Annotated[int, typer.Option(help="Seconds in which the secret before signs too.")] = 86_400,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Give an endpoint a new secret; shown this once."""
    out = Out(json=json)
    with failing_well(out):
        api, path = _opened(out, email=email, data_dir=data_dir)
        body = {"overlap_seconds": overlap}
        made = api.post(f"{path}/{endpoint}/rotation", body, key=f"rotate-{uuid4().hex}").body
        until = made["previous_secret_until"]
        out.say(f"Secret, shown this once: {made['secret']}")
        out.say(
            "The one before has ended." if until is None else f"The one before signs until {local_time(until)} too."
        )
        out.result(made)


@app.command()
def log(
    endpoint: Endpoint,
    *,
    status: Annotated[str | None, typer.Option(help="PENDING, DELIVERED, FAILED or HELD.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Only of what happened from then on.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, max=200, help="How many, the newest first.")] = 20,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """What was sent to an endpoint, and how it answered."""
    out = Out(json=json)
    with failing_well(out):
        moment = None if since is None else _moment(since)
        api, path = _opened(out, email=email, data_dir=data_dir)
        found = api.get(f"{path}/{endpoint}/deliveries", status=status, since=moment, limit=most).body
        out.table("Deliveries", _LOG_COLUMNS, [_line(delivery) for delivery in found], right=("attempts",))
        out.result(found)


def _line(delivery: dict[str, Any]) -> tuple[Any, ...]:
    last = delivery["log"][-1] if delivery["log"] else None
    said = ""
    if last is not None:
        said = last["fault"] or ("no outcome" if last["http_status"] is None else f"HTTP {last['http_status']}")
        said += "" if last["duration_ms"] is None else f" in {last['duration_ms']} ms"
    return (
        delivery["type"],
        local_time(delivery["occurred_at"]),
        delivery["status"],
        delivery["attempts"],
        said,
        delivery["id"],
    )


def _moment(text: str) -> str:
    """A moment as people write it; without a zone it is the business's.

    Raises:
        Unusable: it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Unusable(f"{text!r} is no moment; write 2026-11-25T08:00 or 2026-11-25.") from None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=BUSINESS_ZONE)).isoformat()


@app.command()
def replay(
    endpoint: Endpoint,
    delivery: Annotated[str | None, typer.Argument(help="One delivery; none: those since --since.")] = None,
    *,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Everything that failed or was held since.")] = None,
    delivered_too: Annotated[bool, typer.Option("--delivered-too", help="Also what was delivered.")] = False,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Send one message again, or all since a moment, each with the id it had."""
    out = Out(json=json)
    with failing_well(out):
        if (delivery is None) == (since is None):
            raise Unusable("Name one delivery, or --since a moment.")
        moment = None if since is None else _moment(since)
        api, path = _opened(out, email=email, data_dir=data_dir)
        key = f"replay-{uuid4().hex}"
        if moment is not None:
            body = {"since": moment, "delivered_too": delivered_too}
            begun = api.post(f"{path}/{endpoint}/replay", body, key=key).body
            out.say(f"{begun['begun']} messages are sent again.")
        else:
            begun = api.post(f"{path}/{endpoint}/deliveries/{delivery}/replay", key=key).body
            out.say(f"{begun['id']} ({begun['type']}) is sent again.")
        out.result(begun)


@app.command()
def ping(endpoint: Endpoint, *, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """Send a test message; `dougong webhooks log` shows how it went."""
    out = Out(json=json)
    with failing_well(out):
        api, path = _opened(out, email=email, data_dir=data_dir)
        sent = api.post(f"{path}/{endpoint}/ping", key=f"ping-{uuid4().hex}").body
        out.say(f"Sent soon as delivery {sent['id']}.")
        out.result(sent)


def _switch(verb: str, endpoint: str, *, email: str | None, data_dir: Any, json: bool) -> None:
    out = Out(json=json)
    with failing_well(out):
        api, path = _opened(out, email=email, data_dir=data_dir)
        now = api.post(f"{path}/{endpoint}/{verb}", key=f"{verb}-{uuid4().hex}").body
        out.say(f"{now['url']} is {now['status'].lower()}.")
        out.result(now)


@app.command()
def disable(endpoint: Endpoint, *, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """Send nothing more; what happens meanwhile is held and can be replayed."""
    _switch("disablement", endpoint, email=email, data_dir=data_dir, json=json)


@app.command()
def enable(endpoint: Endpoint, *, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """Send what happens from now on; what was held waits for `replay`."""
    _switch("enablement", endpoint, email=email, data_dir=data_dir, json=json)


@app.command()
def remove(endpoint: Endpoint, *, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """Remove an endpoint with its log."""
    out = Out(json=json)
    with failing_well(out):
        api, path = _opened(out, email=email, data_dir=data_dir)
        api.call("DELETE", f"{path}/{endpoint}")
        out.say("Removed.")
        out.result({"removed": endpoint})
