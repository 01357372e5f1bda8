"""How the command line signs in: a stored session, a person of the local installation, or a supplier's key."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import BaseModel, ValidationError

from infra.api import Api, Refused, Unreachable
from infra.credentials import Client, SignIn

_RENEW_BEFORE_SECONDS = 30.0


class NotSignedIn(Exception):  # noqa: N818 - its text is the sentence the user reads
    """There is no session to use."""


class StoredSession(BaseModel):
    """What `dougong login` keeps."""

    email: str
    name: str
    company: str
    addresses: dict[str, str]
    access_token: str
    refresh_token: str
    ends_at: float
    """Unix time at which the access token ends."""


def session_file() -> Path:
    """Where the session of `dougong login` is kept."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "dougong" / "session.json"


def save_session(session: StoredSession, file: Path) -> None:
    """Replace the file in one move; only its owner reads it."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(session.model_dump_json(indent=2))
    fresh.replace(file)


def load_session(file: Path) -> StoredSession:
    """The stored session.

    Raises:
        NotSignedIn: nobody is signed in.
    """
    if not file.exists():
        raise NotSignedIn("Nobody is signed in: `dougong login`, or name one of the ready sign-ins with --as EMAIL.")
    try:
        return StoredSession.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as problem:
        raise NotSignedIn(f"{file} cannot be read; sign in again: `dougong login`.") from problem


class PersonTokens:
    """Signs a person in with the password; for seeding and `--as`."""

    def __init__(self, api: Api, who: SignIn) -> None:
        self._api = api
        self._who = who
        self._token = ""
        self._ends_at = float("-inf")

    def token(self, *, renew: bool = False) -> str:
        """A valid access token. Raises what `Api.call` raises."""
        if renew or time.monotonic() >= self._ends_at:
            body = {"email": self._who.email, "password": self._who.password}
            answer = self._api.post("/members/sessions", body).body
            self._token = answer["access_token"]
            self._ends_at = time.monotonic() + float(answer["expires_in"]) - _RENEW_BEFORE_SECONDS
        return self._token


class ClientTokens:
    """Signs an API client in (OAuth2 client credentials); for a supplier's key."""

    def __init__(self, api: Api, client: Client) -> None:
        self._api = api
        self._client = client
        self._token = ""
        self._ends_at = float("-inf")

    def token(self, *, renew: bool = False) -> str:
        """A valid access token. Raises what `Api.call` raises."""
        if renew or time.monotonic() >= self._ends_at:
            form = {
                "grant_type": "client_credentials",
                "client_id": self._client.client_id,
                "client_secret": self._client.client_secret,
            }
            answer = self._api.call("POST", "/members/token", data=form).body
            self._token = answer["access_token"]
            self._ends_at = time.monotonic() + float(answer["expires_in"]) - _RENEW_BEFORE_SECONDS
        return self._token


class SessionTokens:
    """The session of `dougong login`. A refresh token is good for one use: two commands at once take turns."""

    def __init__(self, api: Api, file: Path) -> None:
        self._api = api
        self._file = file

    def token(self, *, renew: bool = False) -> str:
        """A valid access token.

        Raises:
            NotSignedIn: the session is over.
        """
        session = load_session(self._file)
        if not renew and time.time() < session.ends_at:
            return session.access_token
        with _locked(self._file.with_suffix(".lock")):
            current = load_session(self._file)
            if current.refresh_token != session.refresh_token:
                return current.access_token
            answer = self._api.post("/members/sessions/refresh", {"refresh_token": current.refresh_token}).body
            current.access_token = answer["access_token"]
            current.refresh_token = answer["refresh_token"]
            current.ends_at = time.time() + float(answer["expires_in"]) - _RENEW_BEFORE_SECONDS
            save_session(current, self._file)
        return current.access_token


def new_session(api: Api, *, email: str, password: str, company_id: str | None = None) -> StoredSession:
    """Sign in with a password. Raises what `Api.call` raises."""
    body = {"email": email, "password": password}
    if company_id is not None:
        body["company_id"] = company_id
    answer = api.post("/members/sessions", body).body
    return StoredSession(
        email=email,
        name=answer["name"],
        company=answer["company"]["name"],
        addresses=api.addresses,
        access_token=answer["access_token"],
        refresh_token=answer["refresh_token"],
        ends_at=time.time() + float(answer["expires_in"]) - _RENEW_BEFORE_SECONDS,
    )


def end_session(api: Api, file: Path) -> None:
    """Tell the service, then forget; a session that is over already is forgotten all the same."""
    session = load_session(file)
    with suppress(Refused, Unreachable):  # it ends by itself; what matters is that the file goes
        api.call("DELETE", "/members/sessions/current", headers={"Authorization": f"Bearer {session.access_token}"})
    file.unlink(missing_ok=True)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
