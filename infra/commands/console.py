"""What every command does alike: tables for people, JSON for machines, one sentence and a code when it fails."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from infra.api import Api, Refused, Unreachable
from infra.credentials import Credentials, SignIn
from infra.instance import DATA_DIR, CannotStart, Instance
from infra.signin import NotSignedIn, PersonTokens, SessionTokens, load_session, session_file
from shared.clock import BUSINESS_ZONE


class ExitCode(IntEnum):
    """What a script may rely on."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    PARTLY = 4
    CANNOT_START = 5


EXIT_CODES = (
    "Exit codes: 0 done; 1 refused by a service; 2 wrong usage or unreadable file; 3 a service does not answer; "
    "4 done in part (rows rejected, lines without an offer, something parked or behind); "
    "5 cannot start (port taken, database)."
)

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else.")]
DataDir = Annotated[
    Path, typer.Option("--data-dir", envvar="DOUGONG_DATA_DIR", help="The installation's folder.", show_default=True)
]
As = Annotated[
    str | None,
    typer.Option("--as", envvar="DOUGONG_AS", metavar="EMAIL", help="Use this sign-in of the local installation."),
]


_PIPED_WIDTH = 200
"""Columns when the output is no terminal, so that a name is not folded where `grep` looks for it."""


WHOLE = frozenset({"id", "url", "path", "file", "folder"})
"""Headings of columns that people copy from: a narrow terminal folds the others first, and never these."""


class Unusable(Exception):  # noqa: N818 - its text is the sentence the user reads
    """What the user gave cannot be used; exit code 2."""


class Out:
    """Standard output for the result, standard error for all else."""

    def __init__(self, *, json: bool) -> None:
        self.json = json
        piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
        self.console = Console(quiet=json, highlight=False, width=_PIPED_WIDTH if piped else None)
        self.errors = Console(stderr=True, highlight=False)
        self._opened: list[Api] = []

    def open(self, addresses: Mapping[str, str]) -> Api:
        """The services at these addresses, until the command ends."""
        api = Api(addresses)
        self._opened.append(api)
        return api

    def close(self) -> None:
        """Close what was opened."""
        for api in self._opened:
            api.close()

    def say(self, text: str) -> None:
        """A line for a person."""
        self.console.print(text, markup=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """A line on standard error, also beside JSON."""
        self.errors.print(text, markup=False, soft_wrap=True)

    def result(self, document: Any) -> None:
        """The whole result, for machines."""
        if self.json:
            sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2, default=str).decode() + "\n")

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, right: Sequence[str] = ()
    ) -> None:
        """A table for a person; `right` names the columns of numbers. Ids come last, after the names they belong to."""
        table = Table(title=title or None, title_justify="left", header_style="bold", pad_edge=False, box=SIMPLE_HEAD)
        for place, column in enumerate(columns):
            whole = max((cell_len(str(row[place])) for row in rows), default=0) if column in WHOLE else None
            table.add_column(column, justify="right" if column in right else "left", overflow="fold", min_width=whole)
        for row in rows:
            table.add_row(*("" if cell is None else str(cell) for cell in row))
        if rows:
            self.console.print(table, crop=False, no_wrap=True, overflow="ignore")
        elif title:
            self.say(f"{title}: none")


def price_text(price: str) -> str:
    """A price with the two places people expect, and more only where it has more."""
    whole, _, places = price.partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"


def local_time(instant: str) -> str:
    """A moment as the business's clocks show it, to the minute."""
    return datetime.fromisoformat(instant).astimezone(BUSINESS_ZONE).strftime("%Y-%m-%d %H:%M")


@contextmanager
def failing_well(out: Out) -> Iterator[None]:
    """Turn what can go wrong into a sentence and an exit code."""
    try:
        yield
    except Refused as problem:
        _fail(out, problem.detail, ExitCode.REFUSED, code=problem.code, errors=problem.errors)
    except NotSignedIn as problem:
        _fail(out, str(problem), ExitCode.REFUSED, code="NotSignedIn")
    except Unreachable as problem:
        _fail(out, str(problem), ExitCode.UNREACHABLE, code="Unreachable")
    except Unusable as problem:
        _fail(out, str(problem), ExitCode.USAGE, code="Unusable")
    except CannotStart as problem:
        _fail(out, str(problem), ExitCode.CANNOT_START, code="CannotStart")
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    finally:
        out.close()


def _fail(out: Out, detail: str, exit_code: ExitCode, *, code: str, errors: Sequence[Mapping[str, Any]] = ()) -> None:
    out.result({"error": {"code": code, "detail": detail, "errors": list(errors)}})
    out.note(f"{code}: {detail}" if code not in {"Unusable", "CannotStart", "Unreachable", "NotSignedIn"} else detail)
    for error in errors[:20]:
        out.note(f"  {error.get('field', '')}: {error.get('message') or error.get('rule', '')}")
    if len(errors) > 20:
        out.note(f"  … and {len(errors) - 20} more")
    raise typer.Exit(exit_code)


def credentials_of(data_dir: Path) -> Credentials:
    """The ready sign-ins and keys of the local installation."""
    return Credentials.load(Instance(data_dir=data_dir).credentials_file)


def addresses_of(data_dir: Path) -> dict[str, str]:
    """Where the services answer: as the local installation wrote down, else on the usual ports."""
    return credentials_of(data_dir).addresses or Instance(data_dir=data_dir).addresses


def sign_in_of(data_dir: Path, email: str) -> SignIn:
    """A ready sign-in.

    Raises:
        Unusable: the local installation knows no such address.
    """
    known = credentials_of(data_dir)
    people = {**known.people, **({known.operator.email: known.operator} if known.operator else {})}
    if email not in people:
        raise Unusable(f"{data_dir} has no sign-in {email!r}. It has: {', '.join(sorted(people)) or 'none'}.")
    return people[email]


def api_as(out: Out, data_dir: Path, email: str | None) -> Api:
    """The services, signed in as `email` of the local installation, else by the session of `dougong login`.

    Raises:
        NotSignedIn, Unusable: there is nothing to sign in with.
    """
    if email is not None:
        api = out.open(addresses_of(data_dir))
        return api.signed_in(PersonTokens(api, sign_in_of(data_dir, email)))
    session = load_session(session_file())
    api = out.open(session.addresses)
    return api.signed_in(SessionTokens(api, session_file()))


def api_as_operator(out: Out, data_dir: Path, email: str | None) -> Api:
    """The same, with the local operator when there is one and nobody else is named."""
    known = credentials_of(data_dir)
    if email is None and known.operator is not None:
        return api_as(out, data_dir, known.operator.email)
    return api_as(out, data_dir, email)


__all__ = ["DATA_DIR", "As", "DataDir", "ExitCode", "JsonFlag", "Out", "Unusable", "failing_well"]
