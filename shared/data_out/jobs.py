"""Exports worked off by the worker: one snapshot, as the app's role in the scope of one company, a row at a time.

Row level security is the wall: the queries name the company as well, and each must hold alone. Memory does not grow
with the export: rows come through a cursor and leave into the ZIP, a portion at a time.
"""

import asyncio
import hashlib
import secrets
import zipfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock
from shared.audit import entries as audit
from shared.audit.files import Head
from shared.audit.routes import file_lines, head_of
from shared.data_out.contents import AUDIT, MANIFEST, Contents, DataOut, Shaping, Sheet, manifest
from shared.database import Database, scope_to, transaction
from shared.feed import event_type, publish
from shared.ids import new_id
from shared.logs import log, told

KEPT = timedelta(days=7)
LEASE = timedelta(minutes=15)
ATTEMPTS_MAX = 3
POLL_SECONDS = 1.0
_PORTION = 500

Completed = Callable[[AsyncSession, "Finished"], Awaitable[None]]
"""What a service does in the transaction that records an export as done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """An export that is done."""

    company_id: UUID
    export_id: UUID
    requested_by: UUID
    sha256: str
    detail: dict[str, Any]
    at: datetime


_CLAIM = text(
    """
    UPDATE data_exports SET state = 'RUNNING', lease_id = :lease_id, lease_until = :until, attempts = attempts + 1
    WHERE (company_id, id) = (
        SELECT company_id, id FROM data_exports
        WHERE state = 'REQUESTED' OR (state = 'RUNNING' AND lease_until < :now)
        ORDER BY requested_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING company_id, id, requested_by, attempts, detail
    """
)
_RENEW = text("UPDATE data_exports SET lease_until = :until WHERE id = :id AND lease_id = :lease_id RETURNING 1")
_FINISH = text(
    """
    UPDATE data_exports SET state = 'DONE', finished_at = :now, file = :file, bytes = :bytes, sha256 = :sha256,
        files = CAST(:files AS jsonb), lease_id = NULL, lease_until = NULL
    WHERE id = :id AND lease_id = :lease_id RETURNING 1
    """
)
_FAIL = text(
    """
    UPDATE data_exports SET state = CASE WHEN attempts >= :most THEN 'FAILED' ELSE 'REQUESTED' END,
        finished_at = CASE WHEN attempts >= :most THEN CAST(:now AS timestamptz) END,
        problem = :problem, lease_id = NULL, lease_until = NULL
    WHERE id = :id AND lease_id = :lease_id
    """
)
_EXPIRE = text(
    "UPDATE data_exports SET state = 'EXPIRED', file = NULL WHERE state = 'DONE' AND finished_at < :before RETURNING id"
)


class LeaseLost(Exception):  # noqa: N818 - another worker has taken over; there is nothing to repair
    """Another worker works on this export now."""


class ExportRunner:
    """Works the exports of one service off; app and worker see the same folder."""

    def __init__(self, out: DataOut, *, database: Database, data_dir: Path, completed: Completed | None = None) -> None:
        self.out = out
        self.folder = data_dir / "exports"
        self._database = database
        self._completed = completed

    async def work(self, stop: asyncio.Event) -> None:
        """Until told to stop; a fault of one export does not end the others."""
        while not stop.is_set():
            try:
                worked = await self.work_one()
            except Exception as error:  # noqa: BLE001 - the next turn may succeed; the log keeps the fault
                log.error("export_failed", error=told(error), exc_info=error)
                worked = False
            if not worked:
                try:
                    await asyncio.wait_for(stop.wait(), POLL_SECONDS)
                except TimeoutError:
                    continue

    async def work_one(self) -> bool:
        """Work the oldest waiting export off; False when none waits."""
        lease_id, now = new_id(), clock.now()
        async with transaction(self._database.system) as session:
            claimed = await session.execute(_CLAIM, {"lease_id": lease_id, "until": now + LEASE, "now": now})
            job = claimed.one_or_none()
        if job is None:
            return False
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{job.id}.{job.attempts}.zip"
        try:
            files = await self._write(path, company_id=job.company_id, export_id=job.id, lease_id=lease_id)
            await self._finish(path, job, files, lease_id=lease_id)
        except LeaseLost:
            path.unlink(missing_ok=True)
        except Exception as error:
            path.unlink(missing_ok=True)
            gone = {"most": ATTEMPTS_MAX, "now": clock.now(), "problem": told(error), "id": job.id}
            async with transaction(self._database.system) as session:
                await session.execute(_FAIL, {**gone, "lease_id": lease_id})
            raise
        return True

    async def sweep(self) -> int:
        """Forget files kept long enough; how many."""
        async with transaction(self._database.system) as session:
            expired = (await session.execute(_EXPIRE, {"before": clock.now() - KEPT})).scalars().all()
        for export_id in expired:
            for path in self.folder.glob(f"{export_id}.*.zip"):
                path.unlink(missing_ok=True)
        return len(expired)

    async def _finish(self, path: Path, job: Any, files: list[Contents], *, lease_id: UUID) -> None:
        now = clock.now()
        digest, size = await asyncio.to_thread(_digest, path)
        told_files = [{"name": f.name, "rows": f.rows, "bytes": f.bytes, "sha256": f.sha256} for f in files]
        values = {
            "now": now,
            "file": path.name,
            "bytes": size,
            "sha256": digest,
            "files": orjson.dumps(told_files).decode(),
            "id": job.id,
            "lease_id": lease_id,
        }
        async with transaction(self._database.system) as session:
            if await session.scalar(_FINISH, values) is None:
                raise LeaseLost
            objects = {"export_id": job.id}
            await audit.record(
                session, caller=None, act="export finished", owners=[job.company_id], objects=objects, at=now
            )
            await publish(
                session,
                type=event_type(self.out.service, "data.exported"),
                subject=str(job.id),
                data={"company_id": str(job.company_id), "export_id": str(job.id), "sha256": digest},
                at=now,
                company_id=job.company_id,
            )
            if self._completed is not None:
                finished = Finished(
                    company_id=job.company_id,
                    export_id=job.id,
                    requested_by=job.requested_by,
                    sha256=digest,
                    detail=job.detail,
                    at=now,
                )
                await self._completed(session, finished)

    async def _write(self, path: Path, *, company_id: UUID, export_id: UUID, lease_id: UUID) -> list[Contents]:
        shaping = Shaping(company_id=company_id, key=secrets.token_bytes(32))
        files: list[Contents] = []
        at = clock.now()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            async with self._database.app() as session, session.begin():
                await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
                await scope_to(session, company_id)
                schema = await session.scalar(text("SELECT string_agg(version_num, ' ') FROM alembic_version"))
                for table, sheet in self.out.sheets.items():
                    await self._renew(export_id, lease_id)
                    files.append(await _sheet(session, archive, table, sheet, shaping, company_id=company_id))
                head, _ = await head_of(session, owner_id=company_id)
            files.append(await self._audit(archive, company_id=company_id, head=head))
            archive.writestr(
                MANIFEST,
                manifest(
                    service=self.out.service,
                    company_id=company_id,
                    export_id=export_id,
                    schema=schema or "",
                    at=at,
                    files=files,
                    head=str(head),
                ),
            )
        return files

    async def _renew(self, export_id: UUID, lease_id: UUID) -> None:
        async with transaction(self._database.system) as session:
            until = clock.now() + LEASE
            if await session.scalar(_RENEW, {"until": until, "id": export_id, "lease_id": lease_id}) is None:
                raise LeaseLost

    async def _audit(self, archive: zipfile.ZipFile, *, company_id: UUID, head: Head) -> Contents:
        lines = file_lines(
            self._database.app,
            service=self.out.service,
            owner_id=company_id,
            first=1,
            last=head.number,
        )
        with archive.open(AUDIT, "w", force_zip64=True) as to:
            portion = _Portion(to)
            async for chunk in lines:
                portion.write(chunk)
        return portion.contents(AUDIT)


class _Portion:
    """Counts and hashes what goes into one file of the archive."""

    def __init__(self, to: IO[bytes]) -> None:
        self._to = to
        self._hash = hashlib.sha256()
        self._rows = 0
        self._bytes = 0

    def write(self, lines: bytes) -> None:
        self._to.write(lines)
        self._hash.update(lines)
        self._rows += lines.count(b"\n")
        self._bytes += len(lines)

    def contents(self, name: str) -> Contents:
        return Contents(name=name, rows=self._rows, bytes=self._bytes, sha256=self._hash.hexdigest())


async def _sheet(
    session: AsyncSession, archive: zipfile.ZipFile, table: str, sheet: Sheet, shaping: Shaping, *, company_id: UUID
) -> Contents:
    name = f"{table}.ndjson"
    rows = await session.stream(
        text(sheet.query(table)), {"company": company_id}, execution_options={"yield_per": _PORTION}
    )
    with archive.open(name, "w", force_zip64=True) as to:
        portion = _Portion(to)
        async for part in rows.mappings().partitions(_PORTION):
            portion.write(b"".join(shaping.line(dict(row), sheet) for row in part))
            await asyncio.sleep(0)  # followers and jobs of the same process have their turn
    return portion.contents(name)


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
