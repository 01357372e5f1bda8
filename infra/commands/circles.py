"""`dougong circles`: federations of contractor groups, as their admins make them."""

from typing import Annotated, Any
from uuid import uuid4

import typer

from infra.api import Api
from infra.commands.console import As, DataDir, JsonFlag, Out, api_as, failing_well, local_time
from infra.commands.parties import company_named, names_of, own_company
from infra.instance import DATA_DIR

app = typer.Typer(help="Circles of contractor groups: who shares what with whom.", no_args_is_help=True)

Circle = Annotated[str, typer.Argument(help="The circle's id.")]
Group = Annotated[str, typer.Argument(help="Tax id or id of the contractor group.")]
Reason = Annotated[str, typer.Option(help="All parties read it in the history.")]


def _show(out: Out, api: Api, circle: dict[str, Any]) -> None:
    out.say(f"{circle['name']} ({circle['id']}) is {circle['status']}.")
    standings = circle.get("standings", ())
    names = names_of(api, [group for each in standings for group in (each["group_id"], *each["agreed_ids"])])
    rows = [
        (
            names[each["group_id"]],
            each["status"],
            local_time(each["valid_from"]) if each["valid_from"] else "",
            ", ".join(names[group] for group in each["agreed_ids"]),
            each["group_id"],
        )
        for each in standings
    ]
    if rows:
        out.table("", ("group", "status", "since", "agreed by", "id"), rows)
    out.result(circle)


def _path(api: Api, circle: str = "") -> str:
    return f"/members/companies/{own_company(api)}/circles" + (f"/{circle}" if circle else "")


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="The circle's name.")],
    *,
    purpose: Annotated[str, typer.Option(help="What it is for.")] = "",
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Found a circle; your group leads it."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        _show(out, api, api.post(_path(api), {"name": name, "purpose": purpose}, key=str(uuid4())).body)


@app.command("list")
def list_circles(*, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """The circles your group stands in or is invited to."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        found = list(api.pages(_path(api)))
        names = names_of(api, [row["lead_id"] for row in found])
        rows = [(row["name"], row["status"], names[row["lead_id"]], row["id"]) for row in found]
        out.table("Circles", ("name", "status", "led by", "id"), rows)
        out.result(found)


@app.command("show")
def show(circle: Circle, *, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """Who stands in a circle."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        _show(out, api, api.get(_path(api, circle)).body)


@app.command("join")
def join(
    circle: Circle, group: Group, *, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False
) -> None:
    """Invite a group: it enters once every member has agreed and it accepts."""
    _post(circle, "invitations", group, email=email, data_dir=data_dir, json=json, invites=True)


@app.command("agree")
def agree(
    circle: Circle, group: Group, *, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False
) -> None:
    """Agree to an invited group, for your own."""
    _post(circle, "agreement", group, email=email, data_dir=data_dir, json=json)


@app.command("accept")
def accept(circle: Circle, *, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """Accept an invitation, for the invited group."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        done = api.post(f"{_path(api, circle)}/acceptance", key=str(uuid4())).body
        out.say("Your group stands in the circle.")
        out.result(done)


@app.command("leave")
def leave(
    circle: Circle,
    *,
    reason: Reason,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Leave at once; what your group had opened to the circle is private again."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        done = api.post(f"{_path(api, circle)}/leaving", {"reason": reason}, key=str(uuid4())).body
        out.say("Your group has left the circle.")
        out.result(done)


def _post(
    circle: str, what: str, group: str, *, email: As, data_dir: DataDir, json: bool, invites: bool = False
) -> None:
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        group_id = company_named(api, group)
        path = _path(api, circle)
        if invites:
            done = api.post(f"{path}/invitations", {"group_id": group_id}, key=str(uuid4())).body
        else:
            done = api.post(f"{path}/invitations/{group_id}/{what}", key=str(uuid4())).body
        out.say(f"The group is {done['status']}; {len(done['agreed_ids'])} agreed.")
        out.result(done)
