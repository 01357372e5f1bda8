"""Taking a company's data out: of every service, into one folder, verified."""

import hashlib
import time
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import orjson
import typer

from infra.api import Api
from infra.commands.console import As, DataDir, ExitCode, JsonFlag, Out, Unusable, api_as, failing_well
from infra.instance import DATA_DIR
from shared.data_out.contents import faults_in

_POLL_SECONDS = 0.5
_OTHERS = ("catalog", "suppliers", "orders")
_SUMMARY = "export.json"
app = typer.Typer()


@app.command("export")
def export(
    folder: Annotated[Path, typer.Argument(help="An empty folder for the files.")],
    *,
    email: As = None,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Export everything of your company from every service, as its admin, and verify what came.

    A contractor's complete export is on record as the drill that stage changes ask for. Exit code 1 when a file is
    not what was exported.
    """
    out = Out(json=json)
    with failing_well(out):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise Unusable(f"{folder} is not an empty folder.")
        folder.mkdir(parents=True, exist_ok=True)
        api = api_as(out, data_dir, email)
        asked = {service: _ask(api, service, {}) for service in _OTHERS}
        done = {service: _fetched(api, service, asked[service], folder) for service in _OTHERS}
        digests = {service: str(each["sha256"]) for service, each in done.items()}
        done["members"] = _fetched(api, "members", _ask(api, "members", {"with_exports": digests}), folder)
        faults = [f"{service}.zip: {fault}" for service, each in done.items() for fault in each["faults"]]
        summary = {"services": done, "whole": not faults}
        (folder / _SUMMARY).write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2))
        out.table(
            f"Exported to {folder}",
            ("service", "files", "rows", "bytes", "whole"),
            [
                (
                    service,
                    len(each["files"]),
                    sum(file["rows"] for file in each["files"]),
                    each["bytes"],
                    "NO" if each["faults"] else "yes",
                )
                for service, each in done.items()
            ],
            right=("files", "rows", "bytes"),
        )
        for fault in faults:
            out.note(fault)
        out.result(summary)
        if faults:
            raise typer.Exit(ExitCode.REFUSED)


def _ask(api: Api, service: str, body: dict[str, Any]) -> str:
    return str(api.post(f"/{service}/exports", body, key=f"export-{uuid4().hex}").body["id"])


def _fetched(api: Api, service: str, export_id: str, folder: Path) -> dict[str, Any]:
    """The export when it is done and its file is here.

    Raises:
        Unusable: the service could not make it.
    """
    while True:
        job: dict[str, Any] = api.get(f"/{service}/exports/{export_id}").body
        if job["state"] == "DONE":
            break
        if job["state"] == "FAILED":
            raise Unusable(f"{service} could not make the export: {job['problem']}.")
        time.sleep(_POLL_SECONDS)
    file = folder / f"{service}.zip"
    api.download(f"/{service}/exports/{export_id}/file", file)
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    faults = [] if digest == job["sha256"] else ["the file is not the one that was made"]
    wanted = ("id", "finished_at", "bytes", "sha256", "files")
    return {**{name: job[name] for name in wanted}, "faults": [*faults, *faults_in(file)]}
