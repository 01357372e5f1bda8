"""A company's audit log: its heads to note down, its files, and whether a file holds; the last needs no service."""

from pathlib import Path
from typing import Annotated, Any

import typer

from infra.api import Api
from infra.commands.console import As, DataDir, ExitCode, JsonFlag, Out, Unusable, api_as, failing_well, local_time
from infra.instance import DATA_DIR, SERVICES
from shared.audit.files import Head, Verdict, verify

app = typer.Typer(help="Your company's audit log, in a chain anybody can verify.", no_args_is_help=True)


@app.command()
def head(*, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """Print the head of each service's chain. Note them where we cannot reach them: `verify --head` proves them."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        heads = [api.get(f"/{service}/audit/head").body for service in SERVICES]
        out.table(
            "Audit heads",
            ("service", "entries", "head", "last act"),
            [
                (each["service"], each["number"], _head(each), local_time(each["at"]) if each["at"] else "")
                for each in heads
            ],
            right=("entries",),
        )
        out.result([{**each, "head": str(_head(each))} for each in heads])


def _head(answer: dict[str, Any]) -> Head:
    return Head(number=answer["number"], hash=answer["hash"])


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where the files go: one for each service.")],
    *,
    service: Annotated[str | None, typer.Option(help="Only this service.")] = None,
    after: Annotated[int, typer.Option(min=0, help="Only entries behind this number.")] = 0,
    begin: Annotated[str | None, typer.Option("--from", help="Only from this moment, e.g. 2026-11-01T00:00Z.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Only before this moment.")] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Download the log as files, and verify them at once."""
    out = Out(json=json)
    with failing_well(out):
        if service is not None and service not in SERVICES:
            raise Unusable(f"{service!r} is none of {', '.join(SERVICES)}.")
        folder.mkdir(parents=True, exist_ok=True)
        api = api_as(out, data_dir, email)
        chosen = {"after": after or None, "from": begin, "to": end}
        files = [_download(api, each, folder, chosen) for each in ([service] if service else SERVICES)]
        _show(out, files)


def _download(api: Api, service: str, folder: Path, chosen: dict[str, Any]) -> tuple[Path, Verdict]:
    file = folder / f"audit-{service}.ndjson"
    api.download(f"/{service}/audit/export", file, **chosen)
    return file, _verdict(file, None)


@app.command("verify")
def verify_files(
    files: Annotated[list[Path], typer.Argument(help="Files of `dougong audit export`.")],
    *,
    noted: Annotated[
        str | None, typer.Option("--head", metavar="NUMBER:HASH", help="The head noted earlier; for one file.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Check files without any service; names the first entry that was changed, removed, moved or cut off."""
    out = Out(json=json)
    with failing_well(out):
        if noted is not None and len(files) != 1:
            raise Unusable("A head belongs to one file.")
        try:
            known = None if noted is None else Head.parse(noted)
        except ValueError as problem:
            raise Unusable(str(problem)) from problem
        _show(out, [(file, _verdict(file, known)) for file in files])


def _verdict(file: Path, noted: Head | None) -> Verdict:
    try:
        with file.open("rb") as lines:
            return verify(lines, noted=noted)
    except OSError as problem:
        raise Unusable(f"{file} cannot be read: {problem.strerror}.") from problem


def _show(out: Out, files: list[tuple[Path, Verdict]]) -> None:
    out.table(
        "Audit files",
        ("file", "service", "entries", "holds", "head"),
        [(file, each.service, each.entries, "yes" if each.intact else "NO", each.head) for file, each in files],
        right=("entries",),
    )
    for file, each in files:
        if not each.intact:
            where = f"entry {each.number}" if each.number is not None else f"line {each.line}"
            out.note(f"{file}: {where} is {each.fault}: {each.text}")
    out.result(
        [
            {
                "file": str(file),
                "service": each.service,
                "owner_id": each.owner_id,
                "intact": each.intact,
                "first": each.first,
                "entries": each.entries,
                "head": str(each.head),
                "fault": each.fault,
                "number": each.number,
                "line": each.line,
                "text": each.text,
            }
            for file, each in files
        ]
    )
    if not all(each.intact for _, each in files):
        raise typer.Exit(ExitCode.REFUSED)
