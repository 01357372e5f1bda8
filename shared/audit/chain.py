"""Chaining the audit log: each owner's entries numbered without a gap and hashed one after the other.

Never while somebody waits: a chain is one writer after the other, and would make all callers of an owner queue. The
worker does it in blocks, in the order of the feed (transaction id, sequence) and only below the oldest transaction
still running, so that no late entry can belong before one that has its number already.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.audit.files import link
from shared.database import Sessions, transaction

BLOCK = 1000
CHAIN_EVERY_SECONDS = 5
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('audit.chain', 0))")
_PLACE = text("SELECT txid::text AS tx, seq FROM audit_links ORDER BY txid DESC, seq DESC LIMIT 1")
_WAITING = text(
    """
    SELECT txid::text AS tx, seq, owner_id, at, entry FROM audit_entries
    WHERE (txid, seq) > (CAST(CAST(:txid AS text) AS xid8), :seq)
      AND txid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY txid, seq
    LIMIT :limit
    """
)
_HEADS = text(
    """
    SELECT o.owner_id, last.number, last.hash
    FROM unnest(CAST(:owners AS uuid[])) AS o (owner_id)
    CROSS JOIN LATERAL (
        SELECT number, hash FROM audit_links l WHERE l.owner_id = o.owner_id ORDER BY number DESC LIMIT 1
    ) AS last
    """
)
_LINK = text(
    """
    INSERT INTO audit_links (owner_id, number, txid, seq, at, hash)
    SELECT owner_id, number, CAST(txid AS xid8), seq, at, hash
    FROM unnest(
        CAST(:owners AS uuid[]), CAST(:numbers AS bigint[]), CAST(:txids AS text[]), CAST(:seqs AS bigint[]),
        CAST(:ats AS timestamptz[]), CAST(:hashes AS bytea[])
    ) AS n (owner_id, number, txid, seq, at, hash)
    ORDER BY owner_id, number
    """
)


async def chain_all(sessions: Sessions, *, service: str, block: int = BLOCK) -> int:
    """Chain what waits, block after block, each in its own transaction; how many entries."""
    chained = 0
    while True:
        async with transaction(sessions) as session:
            done = await _chain_block(session, service=service, block=block)
        chained += done
        if done < block:
            return chained


async def _chain_block(session: AsyncSession, *, service: str, block: int) -> int:
    """One at a time, also when two workers run: the next begins where the last one's commit left off."""
    await session.execute(_LOCK)
    place = (await session.execute(_PLACE)).one_or_none()
    after = {"txid": "0", "seq": 0} if place is None else {"txid": place.tx, "seq": place.seq}
    rows = (await session.execute(_WAITING, {**after, "limit": block})).all()
    if rows:
        await session.execute(_LINK, await _links(session, rows, service=service))
    return len(rows)


async def _links(session: AsyncSession, rows: Sequence[Any], *, service: str) -> dict[str, list[Any]]:
    known = await session.execute(_HEADS, {"owners": sorted({row.owner_id for row in rows})})
    heads: dict[UUID, tuple[int, bytes | None]] = {row.owner_id: (row.number, bytes(row.hash)) for row in known}
    numbers, hashes = [], []
    for row in rows:
        number, previous = heads.get(row.owner_id, (0, None))
        digest = link(previous, row.entry, service=service, owner_id=str(row.owner_id), number=number + 1)
        heads[row.owner_id] = (number + 1, digest)
        numbers.append(number + 1)
        hashes.append(digest)
    return {
        "owners": [row.owner_id for row in rows],
        "numbers": numbers,
        "txids": [row.tx for row in rows],
        "seqs": [row.seq for row in rows],
        "ats": [row.at for row in rows],
        "hashes": hashes,
    }
