"""The catalog: bringing in dictionaries of others and codes (operator); mapping and registers stand beside."""

from pathlib import Path
from typing import Annotated, Any

import typer

from infra.commands import mapping, registers
from infra.commands.console import As, DataDir, ExitCode, JsonFlag, Out, Unusable, api_as_operator, failing_well
from infra.instance import DATA_DIR
from infra.price_files import read_in_chunks

_UPLOAD_TIMEOUT_SECONDS = 300.0
app = typer.Typer(
    help="The catalog: your material codes, dictionaries of others, standards, restricted goods.",
    no_args_is_help=True,
)
app.registered_commands += mapping.app.registered_commands
app.add_typer(registers.standards, name="standards")
app.add_typer(registers.restrictions, name="restrictions")
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen and change nothing.")]


@app.command(name="import-dictionary")
def import_dictionary(
    file: Annotated[Path, typer.Argument(help="A bSDD import model (JSON).")],
    *,
    dry_run: DryRun = False,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Import a dictionary of others (bSDD import model); a newer version stands beside the older ones."""
    path = "/catalog/dictionaries/imports"
    _bring(file, path, "application/json", dry_run=dry_run, email=email, data_dir=data_dir, json=json)


@app.command(name="import-codes")
def import_codes(
    file: Annotated[Path, typer.Argument(help="CSV: system, edition, code, type_code, relation.")],
    *,
    dry_run: DryRun = False,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Add classification codes of component types from a CSV (UTF-8 or GB18030); bad rows are told by line."""
    path = "/catalog/codes/imports"
    _bring(file, path, "text/csv", dry_run=dry_run, email=email, data_dir=data_dir, json=json)


def _bring(
    file: Path, path: str, media_type: str, *, dry_run: bool, email: str | None, data_dir: Path, json: bool
) -> None:
    out = Out(json=json)
    with failing_well(out):
        if not file.is_file():
            raise Unusable(f"{file} is no file.")
        api = api_as_operator(out, data_dir, email)
        answer = api.call(
            "POST",
            path,
            params={"dry_run": str(dry_run).lower(), "file_name": file.name},
            headers={"Content-Type": media_type, "Content-Length": str(file.stat().st_size)},
            content=read_in_chunks(file, progress=lambda _: None),
            timeout=_UPLOAD_TIMEOUT_SECONDS,
        )
        _show(out, answer.body)
        out.result(answer.body)
        if answer.body["rejected"]:
            raise typer.Exit(ExitCode.PARTLY)


def _show(out: Out, upload: dict[str, Any]) -> None:
    if upload["repeated"]:
        out.note(f"This very file was taken before, on {upload['at'][:10]}; nothing was changed.")
    elif upload["dry_run"]:
        out.note("Dry run: nothing was changed.")
    counts = {**upload["counts"], "rejected": upload["rejected"], "with remarks": upload["warned"]}
    out.table("Import", ("what", "number"), list(counts.items()), right=("number",))
    if upload["subject"]:
        out.say(f"Reference dictionary {upload['subject']}.")
    rows = [(each["row"], each["severity"], each["field"], each["message"]) for each in upload["problems"]]
    if rows:
        out.table("First rows with remarks", ("row", "severity", "field", "remark"), rows)
        out.say(f"All of them: GET /catalog/uploads/{upload['id']}/problems.csv")
