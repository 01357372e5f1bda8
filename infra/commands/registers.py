"""The catalog's registers: standards with their editions, and restricted or banned goods (operator)."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote
from uuid import uuid4

import typer

from infra.commands.console import (
    As,
    DataDir,
    ExitCode,
    JsonFlag,
    Out,
    Unusable,
    addresses_of,
    api_as_operator,
    failing_well,
)
from infra.instance import DATA_DIR

SHOWN_PROBLEMS = 20
_DAYS = ("effective_on", "withdrawn_on")
_FILE_BYTES_AT_MOST = 4 * 1024 * 1024
standards = typer.Typer(help="Editions of standards.", no_args_is_help=True)
restrictions = typer.Typer(help="Restricted and banned goods.", no_args_is_help=True)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what the file would do, and do nothing.")]
EditionFile = Annotated[
    Path,
    typer.Argument(
        help="CSV, UTF-8 or GB18030: designation, title, kind, published_on, effective_on, withdrawn_on, replaced_by, "
        "source, edition_check."
    ),
]
RestrictionFile = Annotated[
    Path,
    typer.Argument(
        help="CSV, UTF-8 or GB18030: kind (restricted or banned), type_code, properties (grade=HRB335; diameter=20), "
        "regions (11; 12), from_on, until_on, source, text."
    ),
]


@standards.command("list")
def list_standards(
    words: Annotated[str | None, typer.Argument(help="Part of a designation or title.")] = None,
    *,
    status: Annotated[str | None, typer.Option(help="coming, in_force or withdrawn.")] = None,
    on: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="The day asked about; none: today.")] = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Editions with the days they take effect and are withdrawn. Everybody may read them."""
    out = Out(json=json)
    with failing_well(out):
        api = out.open(addresses_of(data_dir))
        day = None if on is None else _day(on, "--on").isoformat()
        found = list(api.pages("/catalog/standards", q=words, status=status, on=day, limit=200))
        out.table(
            "Editions",
            ("designation", "title", "status", "from", "withdrawn", "replaced by"),
            [tuple(row[name] for name in ("designation", "title", "status", *_DAYS, "replaced_by")) for row in found],
        )
        out.result(found)


@standards.command("import")
def import_standards(
    file: EditionFile,
    *,
    dry_run: DryRun = False,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Register and change the editions of a file; exit code 4 when rows were rejected. Again: nothing changes."""
    _import("standards", file, dry_run=dry_run, email=email, data_dir=data_dir, json=json)


@standards.command()
def withdraw(
    designation: Annotated[str, typer.Argument(help="Such as 'GB/T 1499.2-2018'.")],
    *,
    on: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="From this day it is no longer in force.")],
    source: Annotated[str, typer.Option(help="The document that says so.")],
    replaced_by: Annotated[str | None, typer.Option(help="The designation of its successor.")] = None,
    reason: Annotated[str, typer.Option(help="For the history.")] = "",
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Withdraw an edition: from that day offers made to it need an update, and no new order takes them."""
    out = Out(json=json)
    with failing_well(out):
        body = {
            "designation": designation,
            "withdrawn_on": _day(on, "--on").isoformat(),
            "source": source,
            "replaced_by": replaced_by,
            "reason": reason,
        }
        api = api_as_operator(out, data_dir, email)
        known = api.get(f"/catalog/standards/{quote(designation, safe='')}")
        row = api.post(
            "/catalog/standards/withdrawals", body, key=f"withdraw-{uuid4().hex}", version=known.headers["ETag"]
        ).body
        out.say(f"{row['designation']} is withdrawn from {row['withdrawn_on']} on.")
        out.result(row)


@restrictions.command("list")
def list_restrictions(
    *,
    region: Annotated[str | None, typer.Option(help="GB/T 2260 code; none: the whole list.")] = None,
    on: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="The day asked about; none: today.")] = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """The list; with a region what holds there on the day. Everybody may read it."""
    out = Out(json=json)
    with failing_well(out):
        api = out.open(addresses_of(data_dir))
        day = None if on is None else _day(on, "--on").isoformat()
        if region is None:
            found = list(api.pages("/catalog/restrictions", on=day, limit=200))
        else:
            found = api.get("/catalog/restrictions/in-force", region=region, on=day).body
        out.table(
            "Restricted and banned goods",
            ("kind", "type", "values", "regions", "from", "until", "source", "text"),
            [_shown(row) for row in found],
        )
        out.result(found)


def _shown(row: dict[str, Any]) -> tuple[Any, ...]:
    values = ", ".join(f"{name}={value}" for name, value in row["properties"].items())
    regions = ";".join(row["regions"]) or "the whole country"
    return (row["kind"], row["type_code"], values, regions, row["from_on"], row["until_on"], row["source"], row["text"])


@restrictions.command("import")
def import_restrictions(
    file: RestrictionFile,
    *,
    dry_run: DryRun = False,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Add and correct the entries of a file; exit code 4 when rows were rejected. Again: nothing changes."""
    _import("restrictions", file, dry_run=dry_run, email=email, data_dir=data_dir, json=json)


def _import(register: str, file: Path, *, dry_run: bool, email: str | None, data_dir: Path, json: bool) -> None:
    out = Out(json=json)
    with failing_well(out):
        body = _read(file)
        api = api_as_operator(out, data_dir, email)
        report = api.call(
            "POST",
            f"/catalog/{register}/imports",
            params={"dry_run": "true" if dry_run else "false"},
            headers={"Content-Type": "text/csv", "Idempotency-Key": f"import-{uuid4().hex}"},
            content=body,
        ).body
        names = ("created", "changed", "unchanged", "rejected")
        out.table("Would do" if dry_run else "Done", names, [tuple(report[name] for name in names)], right=names)
        if report["problems"]:
            out.table(
                "Rows with remarks",
                ("row", "field", "remark"),
                [(row["row"], row["field"], row["message"]) for row in report["problems"][:SHOWN_PROBLEMS]],
                right=("row",),
            )
        out.result(report)
        if report["rejected"]:
            raise typer.Exit(ExitCode.PARTLY)


def _read(file: Path) -> bytes:
    """A file's content. Raises Unusable."""
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise Unusable(f"{file} cannot be read: {problem.strerror}.") from problem
    if len(content) > _FILE_BYTES_AT_MOST:
        raise Unusable(f"A file has at most {_FILE_BYTES_AT_MOST} bytes; send several.")
    return content


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise Unusable(f"{option} {text!r} is not a date like 2027-12-31.") from problem
