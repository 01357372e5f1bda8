"""What happens to a notice: into its history, each entry hashed with the one before, and into the feed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.sourcing.tables import JointHistory, JointNotice
from shared.contracts.joint_notices import JOINT_NOTICE_CHANGED, JOINT_NOTICE_OPENED, JointNoticeTold
from shared.feed import publish
from shared.history import chain_hash, first_broken
from shared.identity import Principal


def extend(
    notice: JointNotice, *, what: str, caller: Principal | None, detail: Mapping[str, Any], at: datetime
) -> JointHistory:
    """The next entry of a notice this transaction holds; `detail` reads back from jsonb as it was hashed."""
    seq = notice.history_length + 1
    actor = (
        {"kind": "worker", "id": None, "company_id": None}
        if caller is None
        else {"kind": caller.kind, "id": str(caller.subject), "company_id": str(caller.company_id)}
    )
    entry = {
        "document_id": str(notice.id),
        "seq": seq,
        "at": at.astimezone(UTC).isoformat(),
        "actor": actor,
        "what": what,
        "detail": dict(detail),
    }
    notice.history_length, notice.history_hash = seq, chain_hash(notice.history_hash, entry)
    return JointHistory(group_id=notice.group_id, notice_id=notice.id, seq=seq, entry=entry, hash=notice.history_hash)


async def record(
    session: AsyncSession,
    *,
    notice: JointNotice,
    what: str,
    caller: Principal | None,
    detail: Mapping[str, Any],
    at: datetime,
) -> None:
    """Write it down in the caller's transaction."""
    session.add(extend(notice, what=what, caller=caller, detail=detail, at=at))
    notice.version += 1
    await session.flush()
    await tell(session, notice=notice, what=what, at=at)


async def tell(session: AsyncSession, *, notice: JointNotice, what: str, at: datetime) -> None:
    """Publish it; the event names who may see the notice, never who did it or how much anybody wants."""
    await publish(
        session,
        type=JOINT_NOTICE_OPENED if what == "opened" else JOINT_NOTICE_CHANGED,
        subject=str(notice.id),
        company_id=notice.group_id,
        at=at,
        data=JointNoticeTold(
            notice_id=notice.id,
            group_id=notice.group_id,
            category=notice.category,
            status=notice.status,
            what=what,
            group_ids=notice.party_ids,
        ),
    )


def fault_in(notice: JointNotice, entries: Sequence[JointHistory]) -> str | None:
    """What shows that somebody changed the history, or None."""
    broken = first_broken((each.entry, bytes(each.hash)) for each in entries)
    if broken is not None:
        return f"Entry {broken + 1} is not what was hashed."
    last = bytes(entries[-1].hash) if entries else None
    expected = None if notice.history_hash is None else bytes(notice.history_hash)
    if len(entries) != notice.history_length or last != expected:
        return "The last entries are missing."
    return None
