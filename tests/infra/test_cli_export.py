"""`dougong export`: every service's file into one folder, verified; the last one asked for names the others."""

import hashlib
import io
import json
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import UUID

import pytest

from infra.postgres import SERVICES
from shared.audit.files import EMPTY, closing_line, head_line
from shared.clock import now
from shared.data_out.contents import Contents, faults_in, manifest

COMPANY, EXPORT = UUID(int=7), UUID(int=9)


def a_zip(service: str, *, planted: bytes | None = None) -> bytes:
    """A service's export of one row; `planted` stands in its place, unseen by the manifest."""
    row = b'{"id":"1"}\n'
    audit = head_line(service=service, owner_id=str(COMPANY), before=EMPTY) + closing_line(EMPTY)
    files = [
        Contents(name=name, rows=body.count(b"\n"), bytes=len(body), sha256=hashlib.sha256(body).hexdigest())
        for name, body in (("rows.ndjson", row), ("audit.ndjson", audit))
    ]
    told = manifest(
        service=service, company_id=COMPANY, export_id=EXPORT, schema="1", at=now(), files=files, head=str(EMPTY)
    )
    to = io.BytesIO()
    with zipfile.ZipFile(to, "w") as archive:
        archive.writestr("rows.ndjson", planted or row)
        archive.writestr("audit.ndjson", audit)
        archive.writestr("manifest.json", told)
    return to.getvalue()


class FileServer:
    """All four services' exports at one address, each done at once."""

    def __init__(self, zips: dict[str, bytes]) -> None:
        self.asked: dict[str, dict[str, object]] = {}
        files, asked = zips, self.asked

        class Handler(BaseHTTPRequestHandler):
            def _send(self, body: bytes, status: int = 200, kind: str = "application/json") -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _job(self, service: str) -> bytes:
                digest = hashlib.sha256(files[service]).hexdigest()
                job = {"id": str(EXPORT), "state": "DONE", "problem": None, "sha256": digest, "bytes": 9}
                return json.dumps({**job, "finished_at": "2026-11-22T08:00:00Z", "files": [{"rows": 1}]}).encode()

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path == "/members/sessions":
                    return self._send(json.dumps({"access_token": "t", "expires_in": 600}).encode())
                service = self.path.split("/")[1]
                asked[service] = body
                return self._send(self._job(service), 202)

            def do_GET(self) -> None:
                service = self.path.split("/")[1]
                if self.path.endswith("/file"):
                    return self._send(files[service], kind="application/zip")
                return self._send(self._job(service))

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def export_from(dougong, data_dir: Path, tmp_path: Path):
    """Run `dougong export` against services that hand out these files."""
    servers = []

    def run(zips: dict[str, bytes]):
        server = FileServer(zips)
        servers.append(server)
        file = data_dir / "credentials.json"
        known = json.loads(file.read_text())
        known["addresses"] = dict.fromkeys(SERVICES, server.address)
        file.write_text(json.dumps(known))
        folder = tmp_path / "taken"
        return server, folder, dougong("export", str(folder), "--as", "buyer@gc-a.example", "--json")

    yield run
    for server in servers:
        server.close()


def test_every_service_is_exported_and_verified(export_from):
    server, folder, result = export_from({service: a_zip(service) for service in SERVICES})
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["whole"] is True
    assert sorted(path.name for path in folder.iterdir()) == [
        "catalog.zip",
        "export.json",
        "members.zip",
        "orders.zip",
        "suppliers.zip",
    ]
    assert list(faults_in(folder / "orders.zip")) == []
    named = server.asked["members"]["with_exports"]
    assert named == {
        service: hashlib.sha256((folder / f"{service}.zip").read_bytes()).hexdigest()
        for service in ("catalog", "suppliers", "orders")
    }
    assert server.asked["orders"] == {}


def test_a_file_that_is_not_what_was_exported_is_named(export_from):
    zips = {service: a_zip(service) for service in SERVICES}
    zips["orders"] = a_zip("orders", planted=b'{"id":"2"}\n')
    _, _, result = export_from(zips)
    assert result.exit_code == 1
    assert "orders.zip: rows.ndjson is not what was exported" in result.stderr


def test_a_folder_with_something_in_it_is_not_written_into(dougong, services, tmp_path):
    (tmp_path / "file").write_text("mine")
    result = dougong("export", str(tmp_path), "--as", "buyer@gc-a.example")
    assert result.exit_code == 2
    assert services.heard == []


def test_a_failed_export_is_told(dougong, services, tmp_path):
    job = {"id": str(EXPORT), "state": "FAILED", "problem": "OutOfPaper"}
    services.on("POST", r"/\w+/exports", (202, job))
    services.on("GET", rf"/\w+/exports/{EXPORT}", (200, job))
    result = dougong("export", str(tmp_path / "taken"), "--as", "buyer@gc-a.example")
    assert result.exit_code == 2
    assert "catalog could not make the export: OutOfPaper" in result.stderr
