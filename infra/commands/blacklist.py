"""Blacklists: put on, look, appeal, answer, lift. To lift takes two people: one asks, another approves."""

from typing import Annotated, Any
from uuid import uuid4

import typer

from infra.api import Api
from infra.commands.console import As, DataDir, JsonFlag, Out, Unusable, api_as, failing_well, local_time
from infra.commands.parties import names_of
from infra.instance import DATA_DIR

PATH = "/suppliers/blacklist"
app = typer.Typer(help="Blacklists: your group's own, or the official one as operator.", no_args_is_help=True)

Entry = Annotated[str, typer.Argument(help="The entry's id, as `dougong blacklist list` shows it.")]
Why = Annotated[str | None, typer.Option(help="Why; kept in the entry's history.")]


@app.command()
def add(
    tax_id: Annotated[
        str | None, typer.Argument(help="Of the company, registered or not; none with --representative.")
    ] = None,
    *,
    level: Annotated[str, typer.Option(help="no_invite, no_new_order or stop_delivery.")],
    reason_class: Annotated[str, typer.Option(help="For instance quality, bribery, safety; all that others learn.")],
    reason: Annotated[str, typer.Option(help="Your group and the listed supplier read it.")],
    evidence: Annotated[str, typer.Option(help="Where the evidence is found.")],
    until: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The last day.")],
    representative: Annotated[
        str | None, typer.Option(help="Name of a legal representative; the id number is asked for, not shown.")
    ] = None,
    official: Annotated[str | None, typer.Option(help="The official list it is taken from (operator).")] = None,
    category: Annotated[list[str] | None, typer.Option(help="May be repeated; none: all.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="GB/T 2260; may be repeated; none: everywhere.")] = None,
    project: Annotated[list[str] | None, typer.Option(help="Project id; may be repeated; none: all.")] = None,
    name: Annotated[str | None, typer.Option(help="Of a company that is not registered yet.")] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Put a company, or every company of a legal representative, on the list. It counts at once."""
    out = Out(json=json)
    with failing_well(out):
        if (tax_id is None) == (representative is None):
            raise Unusable("Name a tax id or --representative, one of both.")
        body: dict[str, Any] = {
            "level": level.upper(),
            "reason_class": reason_class.upper(),
            "reason": reason,
            "evidence": evidence,
            "expires_on": until,
            "categories": category or [],
            "regions": region or [],
            "project_ids": project or [],
        }
        if representative is not None:
            number = typer.prompt("Id number", hide_input=True, err=True)
            body["representative"] = {"name": representative, "id_number": number}
        else:
            body |= {"tax_id": tax_id} | ({"name": name} if name else {})
        path = f"{PATH}/entries" if official is None else f"{PATH}/official-entries"
        body |= {} if official is None else {"source": official}
        entry = api_as(out, data_dir, email).post(path, body, key=f"list-{uuid4().hex}").body
        out.say(f"{entry['subject_name']} is listed until {entry['expires_on']} ({entry['id']}).")
        out.result(entry)


@app.command("list")
def list_(
    *,
    about_us: Annotated[bool, typer.Option("--about-us", help="As supplier: what is listed about you.")] = False,
    others: Annotated[bool, typer.Option("--others", help="What official lists and your circle let you know.")] = False,
    tax_id: Annotated[str | None, typer.Option(help="Only about this company.")] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Your group's entries, newest first."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        if about_us:
            entries = api.get(f"{PATH}/about-us").body
        else:
            what = "notices" if others else "entries"
            entries = list(api.pages(f"{PATH}/{what}", limit=200, tax_id=tax_id))
        names = names_of(api, [entry["owner_id"] for entry in entries if entry["source"] is None])
        rows = [
            (
                entry["subject_name"],
                entry["source"] or names[entry["owner_id"]],
                entry.get("level"),
                entry["reason_class"],
                entry["expires_on"],
                entry.get("status"),
                entry.get("id") or entry["entry_id"],
            )
            for entry in entries
        ]
        out.table("Blacklist", ("subject", "list of", "level", "reason", "until", "status", "id"), rows)
        for entry in entries if about_us else ():
            out.say(f"{entry['id']}: {entry['reason']} (evidence: {entry['evidence'] or entry['evidence_sha256']})")
        out.result(entries)


@app.command()
def appeal(
    entry: Entry,
    *,
    words: Annotated[str, typer.Option("--text", help="Why the entry is wrong.")],
    evidence: Annotated[str | None, typer.Option(help="Where your evidence is found.")] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Appeal against an entry about your company (supplier)."""
    out = Out(json=json)
    with failing_well(out):
        body = {"text": words, "evidence": evidence}
        path = f"{PATH}/entries/{entry}/appeals"
        filed = api_as(out, data_dir, email).post(path, body, key=f"appeal-{uuid4().hex}").body
        out.say(f"Appeal {filed['id']} is {filed['status']} since {local_time(filed['filed_at'])}.")
        out.result(filed)


@app.command()
def answer(
    entry: Entry,
    appeal_id: Annotated[str, typer.Argument(help="The appeal's id.")],
    *,
    grant: Annotated[bool, typer.Option("--grant/--decline", help="To grant it lifts the entry.")],
    words: Annotated[str, typer.Option("--text", help="The answer.")],
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Answer an appeal, as another person than the one who listed."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        body = {"decision": "grant" if grant else "decline", "answer": words}
        answered = _act(api, entry, f"appeals/{appeal_id}/answer", body)
        out.say(f"The appeal is {answered['status']}.")
        out.result(answered)


@app.command()
def lift(
    entry: Entry,
    *,
    why: Why = None,
    approve: Annotated[
        bool | None, typer.Option("--approve/--reject", help="Decide what another person asked for.")
    ] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Ask to lift an entry (--why), or decide as the second person (--approve, --reject)."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        if approve is not None:
            body = {"decision": "approve" if approve else "reject", "note": why}
            done = _act(api, entry, "decision", body)
            out.say(f"The entry is {done['entry']['status']} until {done['entry']['expires_on']}.")
        elif why is None:
            raise Unusable("Say --why, or decide with --approve or --reject.")
        else:
            done = _act(api, entry, "lifting", {"why": why})
            out.say(f"Asked. Another person decides: dougong blacklist lift {entry} --approve")
        out.result(done)


def _act(api: Api, entry: str, what: str, body: dict[str, Any]) -> Any:
    """On the entry as it stands now."""
    path = f"{PATH}/entries/{entry}"
    version = api.get(path).headers["ETag"]
    return api.post(f"{path}/{what}", body, key=f"entry-{uuid4().hex}", version=version).body
