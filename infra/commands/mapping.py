"""Mapping a company's material codes to the catalog: sent, watched, reviewed, approved, looked up."""

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from infra.api import Api
from infra.commands.console import As, DataDir, ExitCode, JsonFlag, Out, Unusable, api_as, failing_well
from infra.instance import DATA_DIR
from infra.price_files import MEDIA_TYPES, read_in_chunks

_POLL_SECONDS = 0.5
_UPLOAD_TIMEOUT_SECONDS = 3600.0
_MACHINE = {"UPLOADED", "PARSED", "VALIDATED", "APPROVED"}
_SHOWN = 15


class Decision(StrEnum):
    """What may be decided about a row."""

    CONFIRM = "confirm"
    REJECT = "reject"
    SPLIT = "split"
    NEW_TYPE = "new_type"


app = typer.Typer(help="The catalog: mapping a company's material codes to it.", no_args_is_help=True)

Company = Annotated[str | None, typer.Option("--company", help="Whose codes; only operators name it.")]
Variants = Annotated[
    list[str], typer.Option("--variant", help="What it means, as a variant key; several for a split or a kit.")
]
Conditions = Annotated[
    list[str], typer.Option("--condition", help="When each of several variants is meant, in their order.")
]
Quantities = Annotated[list[str], typer.Option("--quantity", help="For a kit: how many of each, in their order.")]
Note = Annotated[str | None, typer.Option(help="Why.")]
Job = Annotated[str, typer.Argument(help="The import's id, as `map` and `mappings` print it.")]


def _scope(company: str | None) -> dict[str, str]:
    return {} if company is None else {"company_id": company}


def _key() -> dict[str, str]:
    return {"Idempotency-Key": f"mapping-{uuid4().hex}"}


@app.command("map")
def map_file(
    file: Annotated[Path, typer.Argument(help="CSV (UTF-8 or GB18030) or XLSX: 物料编码, 名称, 规格型号, 单位, …")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would come of it.")] = False,
    for_group: Annotated[
        bool, typer.Option("--for-group", help="Your group's companies may use the codes too.")
    ] = False,
    company: Company = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Send a file of material codes and wait until it is matched; the same file again changes nothing.

    Exit code 4 when rows were rejected or wait for a person, 1 when the file could not be taken.
    """
    out = Out(json=json)
    with failing_well(out):
        media = MEDIA_TYPES.get(file.suffix.lower())
        if not file.is_file() or file.suffix.lower() not in {".csv", ".xlsx"} or media is None:
            raise Unusable(f"{file} is no CSV or XLSX file that can be read.")
        api = api_as(out, data_dir, email)
        options = {"file_name": file.name, "dry_run": str(dry_run).lower(), "for_group": str(for_group).lower()}
        sent = api.call(
            "POST",
            "/catalog/mapping-jobs",
            params={**options, **_scope(company)},
            headers={"Content-Type": media, "Content-Length": str(file.stat().st_size), **_key()},
            content=read_in_chunks(file, progress=lambda _: None),
            timeout=_UPLOAD_TIMEOUT_SECONDS,
        ).body
        job = _waited(api, sent["id"], company)
        _show(out, job, repeated=sent["repeated"])
        out.result(job)
        if job["state"] == "FAILED":
            raise typer.Exit(ExitCode.REFUSED)
        if job["rows_rejected"] or _waiting(job):
            raise typer.Exit(ExitCode.PARTLY)


def _waited(api: Api, job_id: str, company: str | None) -> dict[str, Any]:
    """The job when the machine has done its part."""
    while True:
        job: dict[str, Any] = api.call("GET", f"/catalog/mapping-jobs/{job_id}", params=_scope(company)).body
        if job["state"] not in _MACHINE:
            return job
        time.sleep(_POLL_SECONDS)


def _waiting(job: dict[str, Any]) -> int:
    names = ("NEEDS_REVIEW", "UNMATCHED", "SPLIT_REQUESTED", "NEW_TYPE_REQUESTED", "sample_open")
    rows = job["rows"] or {}
    return sum(rows.get(name, 0) for name in names)


def _show(out: Out, job: dict[str, Any], *, repeated: bool = False) -> None:
    if repeated:
        out.note("This file was sent before; nothing was done.")
    out.say(f"{job['id']}  {job['state']}{' (dry run)' if job['dry_run'] else ''}")
    counts = {name: count for name, count in (job["rows"] or {}).items() if count}
    rows = [("read", job["rows_read"]), ("rejected", job["rows_rejected"]), *counts.items()]
    out.table("Rows", ("state", "rows"), rows, right=("rows",))
    if job["problem"]:
        out.note(f"{job['problem']['code']}: {job['problem']['detail']}")
    for warning in job["warnings"]:
        out.note(warning)


@app.command()
def mappings(
    *, company: Company = None, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False
) -> None:
    """List the imports, the newest first."""
    out = Out(json=json)
    with failing_well(out):
        jobs = api_as(out, data_dir, email).call("GET", "/catalog/mapping-jobs", params=_scope(company)).body
        rows = [(job["file_name"], job["state"], job["rows_taken"], job["id"]) for job in jobs]
        out.table("Imports", ("file", "state", "rows", "id"), rows, right=("rows",))
        out.result(jobs)


@app.command()
def review(
    job: Job, *, company: Company = None, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False
) -> None:
    """Show an import, the first rows that wait for a person, and what was wrong with others."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        path = f"/catalog/mapping-jobs/{job}"
        found = api.call("GET", path, params=_scope(company)).body
        states = [("state", each) for each in ("NEEDS_REVIEW", "UNMATCHED", "SPLIT_REQUESTED")]
        query = [*states, ("limit", str(_SHOWN)), *_scope(company).items()]
        rows = api.call("GET", f"{path}/rows", params=query).body
        sample = [("state", "AUTO_ACCEPTED"), ("sampled", "true"), ("limit", str(_SHOWN)), *_scope(company).items()]
        drawn = api.call("GET", f"{path}/rows", params=sample).body
        errors = api.call("GET", f"{path}/errors", params={"limit": str(_SHOWN), **_scope(company)}).body
        _show(out, found)
        _show_rows(out, "Rows that wait for a person", rows)
        if drawn:
            _show_rows(out, "Drawn from those accepted automatically, to be looked at (`accept --sampled`)", drawn)
        told = [(each["row"], each["column"], each["code"], each["text"]) for each in errors]
        out.table("Row errors", ("row", "column", "code", "text"), told, right=("row",))
        out.result({"job": found, "rows": rows, "sampled": drawn, "errors": errors})


def _show_rows(out: Out, title: str, rows: list[dict[str, Any]]) -> None:
    columns = ("row", "code", "name", "specification", "state", "score", "first candidate", "asks for")
    shown = []
    for row in rows:
        first = row["candidates"][0] if row["candidates"] else None
        candidate = (first["variant_key"] or first["type_code"]) if first else ""
        said = tuple(row[name] for name in ("row_no", "legacy_code", "name", "spec", "state", "score"))
        shown.append((*said, candidate, " ".join(row["asks_for"])))
    out.table(title, columns, shown, right=("row", "score"))


@app.command()
def accept(
    job: Job,
    *,
    least_score: Annotated[str | None, typer.Option(help="Only rows of at least this score.")] = None,
    sampled: Annotated[
        bool, typer.Option("--sampled", help="The rows drawn from those accepted automatically.")
    ] = False,
    company: Company = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Confirm the first candidates of the rows under review, as somebody else than who sent the file."""
    out = Out(json=json)
    with failing_well(out):
        body: dict[str, Any] = {"states": ["AUTO_ACCEPTED"], "sampled": True} if sampled else {}
        body |= {} if least_score is None else {"least_score": least_score}
        answer = api_as(out, data_dir, email).call(
            "POST", f"/catalog/mapping-jobs/{job}/acceptances", params=_scope(company), headers=_key(), json=body
        )
        out.say(f"{answer.body['confirmed']} rows confirmed.")
        out.result(answer.body)


@app.command()
def approve(
    job: Job,
    *,
    leave_open: Annotated[
        bool, typer.Option("--leave-open", help="Leave out the rows that wait for a person.")
    ] = False,
    effective_from: Annotated[
        str | None, typer.Option(help="The first day, as 2026-12-01; today unless named.")
    ] = None,
    company: Company = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Approve an import and wait until it is published."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        body = {"leave_open": leave_open} | ({} if effective_from is None else {"effective_from": effective_from})
        api.call("POST", f"/catalog/mapping-jobs/{job}/approval", params=_scope(company), headers=_key(), json=body)
        done = _waited(api, job, company)
        _show(out, done)
        out.say(f"{done['rows_published']} mappings published.")
        out.result(done)


@app.command()
def decide(
    job: Job,
    row: Annotated[int, typer.Argument(help="The row's number, as `review` prints it.")],
    decision: Annotated[Decision, typer.Argument(help="Without --variant, confirm takes the row's first candidate.")],
    *,
    variant: Variants = [],  # noqa: B006
    condition: Conditions = [],  # noqa: B006
    quantity: Quantities = [],  # noqa: B006
    note: Annotated[str | None, typer.Option(help="Why; needed where the row's own text speaks against it.")] = None,
    company: Company = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Decide about one row, as somebody else than who sent the file."""
    out = Out(json=json)
    with failing_well(out):
        said: dict[str, Any] = {"row_no": row, "decision": decision.value}
        if variant:
            said["parts"] = _parts(variant, condition, quantity)
        elif condition or quantity:
            raise Unusable("--condition and --quantity speak of variants: name them with --variant.")
        if note is not None:
            said["note"] = note
        answer = api_as(out, data_dir, email).call(
            "POST",
            f"/catalog/mapping-jobs/{job}/decisions",
            params=_scope(company),
            headers=_key(),
            json={"decisions": [said]},
        )
        _show_rows(out, "Decided", answer.body)
        out.result(answer.body)


def _parts(variants: list[str], conditions: list[str], quantities: list[str]) -> list[dict[str, Any]]:
    if len(conditions) not in {0, len(variants)} or len(quantities) not in {0, len(variants)}:
        raise Unusable("Give --condition and --quantity once for each --variant, or not at all.")
    parts: list[dict[str, Any]] = [{"variant_key": each} for each in variants]
    for part, text in zip(parts, conditions, strict=False):
        part["condition"] = text
    for part, many in zip(parts, quantities, strict=False):
        part |= {"relation": "kit", "quantity": many}
    return parts


@app.command("roll-back")
def roll_back(
    job: Job,
    *,
    note: Note = None,
    company: Company = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Take a published import back, until a live document uses one of its codes; what it replaced holds again."""
    _step(job, "rollback", note=note, company=company, email=email, data_dir=data_dir, out=Out(json=json))


@app.command()
def cancel(
    job: Job,
    *,
    note: Note = None,
    company: Company = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Give an import up that is not published."""
    _step(job, "cancellation", note=note, company=company, email=email, data_dir=data_dir, out=Out(json=json))


@app.command("send-on")
def send_on(
    job: Job, *, company: Company = None, email: As = None, data_dir: DataDir = DATA_DIR, json: JsonFlag = False
) -> None:
    """Send a dry run on to review: its rows may then be decided and published."""
    _step(job, "review", note=None, company=company, email=email, data_dir=data_dir, out=Out(json=json))


def _step(
    job: str, step: str, *, note: str | None, company: str | None, email: str | None, data_dir: Path, out: Out
) -> None:
    with failing_well(out):
        body = {} if note is None else {"note": note}
        answer = api_as(out, data_dir, email).call(
            "POST", f"/catalog/mapping-jobs/{job}/{step}", params=_scope(company), headers=_key(), json=body
        )
        _show(out, answer.body)
        out.result(answer.body)


@app.command()
def code(
    legacy_code: Annotated[str, typer.Argument(help="One of your own codes.")],
    *,
    company: Company = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Say what one of your codes means today."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as(out, data_dir, email)
        found = api.call("GET", "/catalog/mappings", params={"code": legacy_code, **_scope(company)}).body
        columns = ("variant_key", "relation", "condition", "quantity", "version", "valid_from")
        out.table(legacy_code, columns, [[each[name] for name in columns] for each in found])
        out.result(found)
