"""Signing in and out."""

from pathlib import Path
from typing import Annotated

import typer

from infra.commands.console import (
    As,
    DataDir,
    JsonFlag,
    Out,
    addresses_of,
    api_as,
    credentials_of,
    failing_well,
    sign_in_of,
)
from infra.instance import DATA_DIR
from infra.signin import end_session, load_session, new_session, save_session, session_file

app = typer.Typer()


@app.command()
def login(
    email: Annotated[str, typer.Argument(help="Your e-mail address.")],
    *,
    password: Annotated[
        str | None,
        typer.Option(envvar="DOUGONG_PASSWORD", help="Asked for when absent; a ready sign-in needs none."),
    ] = None,
    company: Annotated[str | None, typer.Option(help="Id of the company to act for, when there are several.")] = None,
    url: Annotated[
        str | None, typer.Option(help="One origin that serves all four services, instead of the local ones.")
    ] = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Sign in; the session is kept in ~/.config/dougong (0600) and renewed by itself."""
    out = Out(json=json)
    with failing_well(out):
        addresses = addresses_of(data_dir) if url is None else dict.fromkeys(addresses_of(data_dir), url.rstrip("/"))
        if password is None:
            known = sign_in_of(data_dir, email).password if url is None and _is_ready(data_dir, email) else None
            password = known or typer.prompt("Password", hide_input=True, err=True)
        session = new_session(out.open(addresses), email=email, password=password, company_id=company)
        save_session(session, session_file())
        out.say(f"Signed in as {session.name} for {session.company}.")
        out.result({"email": email, "name": session.name, "company": session.company})


@app.command()
def logout(*, json: JsonFlag = False) -> None:
    """End the session."""
    out = Out(json=json)
    with failing_well(out):
        session = load_session(session_file())
        end_session(out.open(session.addresses), session_file())
        out.say("Signed out.")
        out.result({"signed_out": session.email})


@app.command()
def whoami(
    *,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Who the services take you for."""
    out = Out(json=json)
    with failing_well(out):
        me = api_as(out, data_dir, email).get("/members/me").body
        company = me.get("company") or {"name": "no company", "roles": []}
        out.say(f"{me['name']} <{me.get('email')}>, {company['name']}: {', '.join(company['roles'])}")
        out.result(me)


def _is_ready(data_dir: Path, email: str) -> bool:
    known = credentials_of(data_dir)
    return email in known.people or (known.operator is not None and known.operator.email == email)
