"""`dougong migrate-platform`: a contractor's legacy platform, file by file, with a report at the end."""

from pathlib import Path
from typing import Annotated, Any

import typer

from infra.commands.console import As, DataDir, ExitCode, JsonFlag, Out, Unusable, api_as, failing_well
from infra.instance import DATA_DIR
from infra.migration_report import FIGURES, reasons_shown, report_of, write_report
from infra.platform_migration import KINDS, Migration, People, files_in
from shared import clock

app = typer.Typer()
_NAMES = ", ".join(kind.name for kind in KINDS)


@app.command(name="migrate-platform")
def migrate_platform(
    folder: Annotated[Path, typer.Argument(help=f"With any of {_NAMES}, each as .csv or .xlsx.")],
    *,
    email: As = None,
    second: Annotated[
        str | None, typer.Option("--second", metavar="EMAIL", help="The second person, who approves what is ready.")
    ] = None,
    admin: Annotated[
        str | None,
        typer.Option("--admin", metavar="EMAIL", help="The group's admin, or an operator: who may see the gates."),
    ] = None,
    accept_sample: Annotated[
        bool,
        typer.Option(
            "--accept-sample", help="The second person confirms all rows drawn from those accepted by machine."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would come of it.")] = False,
    example: Annotated[bool, typer.Option("--example", help="First write an invented export into the folder.")] = False,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Take a contractor's legacy platform over: dry run, review, approval by a second person, report.

    Without --second it stops at IN_REVIEW. Run it again and it goes on where it stopped; what is done stays as it is.
    Exit code 4 when rows were refused or wait for a person, 1 when a file could not be taken.
    """
    out = Out(json=json)
    with failing_well(out):
        if example:
            _write_example(out, folder)
        if not any(files_in(folder)):
            raise Unusable(f"{folder} holds none of {_NAMES} as .csv or .xlsx.")
        if second is not None and second == email:
            raise Unusable("The second person is somebody else than who sends the files.")
        importer = api_as(out, data_dir, email)
        people = People(
            importer=importer,
            second=None if second is None else api_as(out, data_dir, second),
            accept_sample=accept_sample,
        )
        outcomes = Migration(folder=folder, people=people, only_dry=dry_run, say=out.say).run()
        report = report_of(
            outcomes,
            importer=importer,
            admin=None if admin is None else api_as(out, data_dir, admin),
            today=clock.business_date(clock.now()),
        )
        written = write_report(report, folder / "report")
        _show(out, report)
        out.say(f"The whole report: {written[0]} and {written[1]}")
        out.result(report)
        if any(each["state"] == "FAILED" for each in report["files"]):
            raise typer.Exit(ExitCode.REFUSED)
        if any(each["stopped"] or each["figures"]["refused"] or each["figures"]["waiting"] for each in report["files"]):
            raise typer.Exit(ExitCode.PARTLY)


def _write_example(out: Out, folder: Path) -> None:
    from infra.seed.legacy_export import write_legacy_export

    planted = write_legacy_export(folder, on=clock.business_date(clock.now()))
    out.say(f"Written into {folder}: " + ", ".join(f"{rows:,} {name}" for name, rows in planted.rows.items()))


def _show(out: Out, report: dict[str, Any]) -> None:
    rows = [
        (each["file"], each["state"], *(f"{each['figures'][name]:,}" for name in FIGURES), f"{each['published']:,}")
        for each in report["files"]
    ]
    out.table("Files", ("file", "state", *FIGURES, "published"), rows, right=(*FIGURES, "published"))
    for each in report["files"]:
        if each["stopped"]:
            out.say(f"{each['file']} stopped: {each['stopped']}")
        shown = [(code, f"{count:,}") for code, count in reasons_shown(each)]
        if shown:
            out.table(f"{each['file']}: remarks ({each['errors']})", ("code", "rows"), shown, right=("rows",))
    for category in report["gates"]:
        gates = [
            (gate["gate"], gate["required"], gate["measured"] or "not measured", _answer(gate["passed"]))
            for gate in category["gates"]
        ]
        title = f"Gates {category['step']}, {category['category']} ({category['source']})"
        out.table(title, ("gate", "required", "measured", "passed"), gates)


def _answer(passed: bool | None) -> str:
    return "not checked" if passed is None else "yes" if passed else "no"
