"""Suppliers: taking them in, qualifying them, and bringing their prices and stock up to date."""

import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from infra.api import Api, Refused
from infra.commands.console import (
    As,
    DataDir,
    ExitCode,
    JsonFlag,
    Out,
    Unusable,
    addresses_of,
    api_as,
    api_as_operator,
    credentials_of,
    failing_well,
)
from infra.instance import DATA_DIR
from infra.price_files import FileUnreadable, Part, parts_of, read_in_chunks
from infra.registration import qualify_supplier, register_company, register_supplier
from infra.signin import ClientTokens

SHOWN_PROBLEMS = 10
_POLL_SECONDS = 0.3
_UPLOAD_TIMEOUT_SECONDS = 3600.0
_BUSY_SECONDS_MAX = 600.0
_BUSY_PAUSE_SECONDS = 2.0
app = typer.Typer(
    help="Suppliers: invite, take in, review, qualify, and synchronise their prices and stock.", no_args_is_help=True
)


@dataclass(kw_only=True)
class Account:
    """Where a part of the file goes."""

    name: str
    company_id: str
    api: Api


@app.command()
def sync(
    file: Annotated[Path, typer.Argument(help="CSV (UTF-8 or GB18030), NDJSON, JSON or XLSX.")],
    *,
    supplier: Annotated[
        str | None, typer.Option(help="Tax id of the supplier, when the file has no supplier_uscc column.")
    ] = None,
    mode: Annotated[str, typer.Option(help="delta, or full: what the file does not name is sold out.")] = "delta",
    sequence: Annotated[int | None, typer.Option(help="This file's number in the feed; late ones are skipped.")] = None,
    feed: Annotated[str, typer.Option(help="Which of the supplier's ERPs sends it.")] = "default",
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Send prices and stock; a file with a supplier_uscc column goes to each supplier with its own API key.

    Exit code 4 when rows were rejected, 1 when a whole file was.
    """
    out = Out(json=json)
    with failing_well(out), tempfile.TemporaryDirectory(prefix="dougong-sync-") as folder:
        if mode not in {"delta", "full"}:
            raise Unusable(f"--mode is delta or full, not {mode!r}.")
        try:
            parts = parts_of(file, folder=Path(folder))
        except FileUnreadable as problem:
            raise Unusable(str(problem)) from problem
        accounts = [_account(out, part, supplier=supplier, email=email, data_dir=data_dir) for part in parts]
        options = {"mode": mode, "feed": feed} | ({} if sequence is None else {"sequence": str(sequence)})
        jobs = _send_all(out, parts, accounts, options)
        report = [_report(part, account, job) for part, account, job in zip(parts, accounts, jobs, strict=True)]
        _show_report(out, report)
        out.result({"suppliers": report, "totals": _totals(report)})
        if any(entry["state"] == "FAILED" for entry in report):
            raise typer.Exit(ExitCode.REFUSED)
        if any(entry["rejected"] for entry in report):
            raise typer.Exit(ExitCode.PARTLY)


def _account(out: Out, part: Part, *, supplier: str | None, email: str | None, data_dir: Path) -> Account:
    """The supplier's own key when the local installation has it, else whoever is signed in.

    Raises:
        Unusable: it is not said whose file this is, or there is no key.
    """
    tax_id = part.tax_id or supplier
    if part.tax_id and supplier and part.tax_id != supplier:
        raise Unusable(f"The file names {part.tax_id}, you named {supplier}.")
    keys = credentials_of(data_dir).suppliers
    if tax_id is not None and tax_id in keys:
        key = keys[tax_id]
        anyone = out.open(addresses_of(data_dir))
        return Account(name=key.name, company_id=key.company_id, api=anyone.signed_in(ClientTokens(anyone, key)))
    if part.tax_id is not None:
        raise Unusable(f"{data_dir} holds no API key of {part.tax_id}; each supplier's rows need its own.")
    if tax_id is not None and email is None:
        raise Unusable(f"{data_dir} holds no API key of {tax_id}.")
    api = api_as(out, data_dir, email)
    company = api.get("/members/me").body["company"]
    if company is None:
        raise Unusable("Name the supplier: --supplier TAX_ID.")
    return Account(name=company["name"], company_id=company["id"], api=api)


def _send_all(out: Out, parts: list[Part], accounts: list[Account], options: dict[str, str]) -> list[dict[str, Any]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeElapsedColumn(),
    )
    jobs = []
    with Progress(*columns, console=out.errors, disable=out.json or not out.errors.is_terminal) as progress:
        for part, account in zip(parts, accounts, strict=True):
            task = progress.add_task(account.name, total=part.file.stat().st_size, rows="")
            job = _send(part, account, options, progress, task)
            jobs.append(_wait(account, job, progress, task))
    return jobs


def _send(part: Part, account: Account, options: dict[str, str], progress: Progress, task: TaskID) -> dict[str, Any]:
    """Stream the body; memory does not grow with it. While another sync of the supplier runs, wait for its end."""
    deadline = time.monotonic() + _BUSY_SECONDS_MAX
    while True:
        try:
            return _sent(part, account, options, progress, task)
        except Refused as problem:
            if "sync" in problem.problem:
                refused: dict[str, Any] = problem.problem["sync"]
                return refused
            if problem.code != "SyncUnderWay" or time.monotonic() > deadline:
                raise
            progress.update(task, completed=0, rows="waits for another sync")
            time.sleep(_BUSY_PAUSE_SECONDS)


def _sent(part: Part, account: Account, options: dict[str, str], progress: Progress, task: TaskID) -> dict[str, Any]:
    answer = account.api.call(
        "POST",
        f"/suppliers/{account.company_id}/sync",
        params=options,
        headers={
            "Content-Type": part.content_type,
            "Content-Length": str(part.file.stat().st_size),
            "Idempotency-Key": f"sync-{uuid4().hex}",
        },
        content=read_in_chunks(part.file, progress=lambda sent: progress.advance(task, sent)),
        timeout=_UPLOAD_TIMEOUT_SECONDS,
    )
    job: dict[str, Any] = answer.body
    return job


def _wait(account: Account, job: dict[str, Any], progress: Progress, task: TaskID) -> dict[str, Any]:
    """Ask after the job until it is done."""
    path = f"/suppliers/{account.company_id}/syncs/{job['id']}"
    while job["state"] in {"RECEIVED", "RUNNING"}:
        time.sleep(_POLL_SECONDS)
        job = account.api.get(path).body
        done = job["progress"]
        progress.update(task, completed=done["bytes_done"], total=done["bytes_total"], rows=f"{done['rows_done']} rows")
    counts = job["counts"]
    rows = counts["accepted"] + counts["unchanged"] + counts["rejected"]
    progress.update(task, completed=job["progress"]["bytes_total"], rows=f"{rows} rows")
    return job


def _report(part: Part, account: Account, job: dict[str, Any]) -> dict[str, Any]:
    return {
        "supplier": account.name,
        "tax_id": part.tax_id,
        "job": job["id"],
        "state": job["state"],
        "outcome": job["outcome"],
        "gap": job["gap"],
        "snapshot_needed": job["snapshot_needed"],
        **job["counts"],
        "problem": job["problem"],
        "problems": [row | {"line": part.line_of(row["row"])} for row in job["problems"]],
    }


def _totals(report: list[dict[str, Any]]) -> dict[str, int]:
    return {name: sum(entry[name] for entry in report) for name in ("accepted", "unchanged", "rejected", "zeroed")}


def _show_report(out: Out, report: list[dict[str, Any]]) -> None:
    names = ("accepted", "unchanged", "rejected", "zeroed")
    rows = [(entry["supplier"], entry["state"], *(entry[name] for name in names)) for entry in report]
    if len(report) > 1:
        rows.append(("all", "", *_totals(report).values()))
    out.table("Synchronised", ("supplier", "state", *names), rows, right=names)
    for entry in report:
        if entry["problem"]:
            out.note(f"{entry['supplier']}: {entry['problem'].get('detail', entry['problem'])}")
        if entry["outcome"] in {"repeated", "late"}:
            out.note(f"{entry['supplier']}: this sequence number is {entry['outcome']}; nothing was changed.")
        if entry["snapshot_needed"]:
            out.note(f"{entry['supplier']}: numbers of this feed are missing; send a full snapshot (--mode full).")
    shown = [(entry["supplier"], row) for entry in report for row in entry["problems"]][:SHOWN_PROBLEMS]
    if shown:
        out.table(
            "First rows with remarks",
            ("supplier", "line", "item", "field", "remark"),
            [(name, row["line"], row["item_no"], row["field"], row["message"]) for name, row in shown],
            right=("line",),
        )


@app.command()
def create(
    tax_id: Annotated[str, typer.Argument(help="统一社会信用代码; the check digit must hold.")],
    name: Annotated[str, typer.Argument(help="The company's name.")],
    *,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Register a company as supplier (operator)."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as_operator(out, data_dir, email)
        company = register_company(api, tax_id=tax_id, name=name, kind="supplier")
        supplier = register_supplier(api, company_id=company)
        out.say(f"{supplier['name']} is {supplier['status']}; `dougong suppliers qualify {tax_id}` lets it sell.")
        out.result(supplier)


@app.command()
def qualify(
    tax_id: Annotated[str, typer.Argument(help="The supplier's tax id.")],
    *,
    category: Annotated[list[str], typer.Option(help="A category of the catalog; may be repeated.")],
    region: Annotated[list[str] | None, typer.Option(help="GB/T 2260 code; may be repeated; none: everywhere.")] = None,
    until: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="The last day.")] = None,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Let a supplier sell certain categories in certain regions (operator)."""
    out = Out(json=json)
    with failing_well(out):
        api = api_as_operator(out, data_dir, email)
        found = api.get("/members/companies", tax_id=tax_id).body
        if not found:
            raise Unusable(f"No company has the tax id {tax_id}; `dougong suppliers create` registers one.")
        supplier = qualify_supplier(
            api,
            company_id=found[0]["id"],
            categories=category,
            regions=region or [],
            until=None if until is None else _day(until),
        )
        out.say(f"{supplier['name']} is {supplier['status']} for {', '.join(supplier['categories'])}.")
        out.say("Its offers are seen by the contractor groups that admit it: `dougong admissions grant`.")
        out.result(supplier)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise Unusable(f"--until {text!r} is not a date like 2027-12-31.") from problem
