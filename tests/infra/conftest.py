"""Fake services on a real port: the command line is tried through HTTP, as a process would."""

import json
import random
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from typer.testing import CliRunner, Result

from infra.cli import app
from infra.credentials import Credentials, SignIn, SupplierKey
from infra.postgres import SERVICES

BUYER = "buyer@gc-a.example"
TAX_ID = "91320500MA2DEMQ7X8"
SUPPLIER_ID = "0190f0f0-0000-7000-8000-000000000001"


def free_port_base() -> int:
    """A base above which four ports in a row are free, below those the system gives to outgoing connections."""
    for _ in range(50):
        base = 20_000 + random.randrange(1_200) * 10
        try:
            for offset in range(1, 5):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", base + offset))
        except OSError:
            continue
        return base
    raise AssertionError("no four free ports in a row")


@dataclass
class Heard:
    """One request, as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Reply = tuple[int, Any] | tuple[int, Any, dict[str, str]]


@dataclass
class FakeServices:
    """All four services at one address. The newest reply for a request counts."""

    address: str = ""
    heard: list[Heard] = field(default_factory=list)
    replies: list[tuple[str, re.Pattern[str], Callable[[Heard], Reply]]] = field(default_factory=list)

    def on(self, method: str, path: str, reply: Reply | Callable[[Heard], Reply]) -> None:
        """`path` is a pattern for the whole path."""
        act = reply if callable(reply) else lambda _: reply
        self.replies.insert(0, (method, re.compile(path), act))

    def asked(self, method: str, path: str) -> list[Heard]:
        return [request for request in self.heard if request.method == method and re.fullmatch(path, request.path)]

    def answer(self, request: Heard) -> Reply:
        self.heard.append(request)
        for method, path, act in self.replies:
            if method == request.method and path.fullmatch(request.path):
                return act(request)
        return 404, {"code": "NoSuchRoute", "detail": f"nothing at {request.method} {request.path}"}


def _handler(fake: FakeServices) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self._chunks() if headers.get("transfer-encoding") == "chunked" else self._exactly(headers)
            request = Heard(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
            status, document, *more = fake.answer(request)
            content = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            for name, value in (more[0] if more else {}).items():
                self.send_header(name, value)
            kind = "application/problem+json" if status >= 400 else "application/json"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _exactly(self, headers: dict[str, str]) -> bytes:
            return self.rfile.read(int(headers.get("content-length", 0)))

        def _chunks(self) -> bytes:
            whole = b""
            while size := int(self.rfile.readline(), 16):
                whole += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return whole

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the names http.server asks for

        def log_message(self, *arguments: object) -> None:
            pass

    return Handler


@pytest.fixture
def services() -> Iterator[FakeServices]:
    fake = FakeServices()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    fake.address = f"http://127.0.0.1:{server.server_address[1]}"
    session = {
        "access_token": "token-1",
        "token_type": "Bearer",
        "expires_in": 600,
        "refresh_token": "refresh-1",
        "name": "李梅",
        "company": {"id": "c", "name": "京垣建设", "roles": ["buyer"]},
        "companies": [],
    }
    fake.on("POST", "/members/sessions", (200, session))
    fake.on("GET", "/members/companies/identities", (200, [{"id": SUPPLIER_ID, "name": "钢铁贸易"}]))
    fake.on("POST", "/members/token", (200, {"access_token": "client-token", "expires_in": 600}))
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def data_dir(tmp_path: Path, services: FakeServices, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose four services are the fakes."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("DOUGONG_AS", raising=False)
    folder = tmp_path / "installation"
    Credentials(
        addresses=dict.fromkeys(SERVICES, services.address),
        operator=SignIn(email="operator@dougong.example", password="operator password"),
        people={BUYER: SignIn(email=BUYER, password="buyer password")},
        suppliers={
            TAX_ID: SupplierKey(
                client_id="dg_1", client_secret="s", name="钢铁贸易", tax_id=TAX_ID, company_id=SUPPLIER_ID
            )
        },
    ).save(folder / "credentials.json")
    return folder


@pytest.fixture
def dougong(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command line; `stdin` answers its questions."""
    monkeypatch.setenv("DOUGONG_DATA_DIR", str(data_dir))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=stdin)

    return run
