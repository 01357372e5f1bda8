"""One running installation on this machine: its folder, its ports, its processes."""

import fcntl
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from infra.postgres import ServiceUrls

SERVICES = ("members", "catalog", "suppliers", "orders")
ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
PORT_BASE = 8100
DATA_DIR = Path(".dougong")

WORKERS = SERVICES
"""Every service has a worker beside it: followers, periodic jobs, the job queue."""

CLIENT_SCOPES: Mapping[str, tuple[str, ...]] = {
    "members": ("feed:read", "measurements:read"),
    "catalog": ("feed:read", "companies:read"),
    "suppliers": ("feed:read", "companies:read", "companies:register", "variants:resolve", "orders:count"),
    "orders": ("feed:read", "companies:read", "reservations:write", "variants:resolve"),
}
"""What each service may ask of the others; `members` reads their feeds, to tell companies by webhooks, and asks what
the gates of stage changes need measured."""


class CannotStart(Exception):  # noqa: N818 - its text is the sentence the user reads
    """Something outside stands in the way; the text says what, and what to do."""


class AlreadyRunning(CannotStart):
    """Another process runs from the same folder."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """Where this installation keeps its things and where it answers."""

    data_dir: Path = DATA_DIR
    port_base: int = PORT_BASE
    service_workers: int = 1
    log_level: str = "INFO"
    cors_origins: tuple[str, ...] = field(default=("http://localhost:5173",))

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"

    @property
    def credentials_file(self) -> Path:
        return self.data_dir / "credentials.json"

    @property
    def processes_file(self) -> Path:
        return self.data_dir / "processes.json"

    def port(self, service: str) -> int:
        """members 1, catalog 2, suppliers 3, orders 4 above the base."""
        return self.port_base + 1 + SERVICES.index(service)

    def address(self, service: str) -> str:
        """Where a service answers."""
        return f"http://{HOST}:{self.port(service)}"

    @property
    def addresses(self) -> dict[str, str]:
        """All four."""
        return {service: self.address(service) for service in SERVICES}

    def environment(self, service: str, urls: "ServiceUrls", *, client: tuple[str, str] | None) -> dict[str, str]:
        """The settings of one service, as its process finds them."""
        prefix = service.upper()
        values = {
            "DATABASE_URL": urls.app,
            "SYSTEM_DATABASE_URL": urls.worker,
            "DATA_DIR": str((self.data_dir / "files" / service).resolve()),
            "LOG_LEVEL": self.log_level,
            "CORS_ORIGINS": "[" + ",".join(f'"{origin}"' for origin in self.cors_origins) + "]",
            **{f"{name.upper()}_URL": address for name, address in self.addresses.items()},
        }
        if client is not None:
            values |= {"CLIENT_ID": client[0], "CLIENT_SECRET": client[1]}
        return {f"{prefix}_{name}": value for name, value in values.items()}

    def serve_command(self, service: str) -> list[str]:
        """The HTTP side of a service."""
        return [
            sys.executable, "-m", "granian", f"services.{service}.app:create", "--factory",
            "--interface", "asgi", "--http", "1", "--loop", "uvloop", "--no-ws", "--host", HOST,
            "--port", str(self.port(service)), "--workers", str(self.service_workers), "--workers-kill-timeout", "10",
        ]  # fmt: skip

    @staticmethod
    def work_command(service: str) -> list[str]:
        """The background side of a service."""
        return [sys.executable, "-m", f"services.{service}.worker"]

    def check_ports(self) -> None:
        """See that every port is free before anything is started.

        Raises:
            CannotStart: one is taken; names it, who has it, and the way out.
        """
        for service in SERVICES:
            port = self.port(service)
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, port))
                except OSError as problem:
                    raise CannotStart(
                        f"Port {port}, meant for {service}, is taken{_holder(port)}: stop that program, or start "
                        f'Dougong on other ports: make up ARGS="--port-base {self.port_base + 1000}".'
                    ) from problem


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections(kind="tcp"):
            listens_at = getattr(connection.laddr, "port", None)
            if connection.status == psutil.CONN_LISTEN and listens_at == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except (psutil.Error, PermissionError):
        pass
    return ""


@contextmanager
def exclusively(instance: Instance) -> Iterator[None]:
    """Hold the installation's folder.

    Raises:
        CannotStart: the folder cannot be used.
        AlreadyRunning: another process runs from it.
    """
    try:
        instance.data_dir.mkdir(parents=True, exist_ok=True)
        (instance.data_dir / "lock").touch()
    except OSError as problem:
        raise CannotStart(f"The folder {instance.data_dir} cannot be used: {problem.strerror}.") from problem
    with (instance.data_dir / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise AlreadyRunning(
                f"Dougong already runs from {instance.data_dir} (process {lock.read().strip() or 'unknown'}): "
                'stop it with Ctrl-C, or start another one: make up ARGS="--data-dir .dougong-2 --port-base 9100".'
            ) from None
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield
