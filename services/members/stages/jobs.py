"""Announced stage changes take effect when their day has come, and nobody has to be there."""

from datetime import datetime

from services.members.stages import queries
from services.members.stages.effects import take_effect
from services.members.stages.gate_data import GateData
from services.members.stages.rules import ChangeStatus
from shared.database import Sessions, transaction
from shared.logs import log

_AT_ONCE = 50


async def make_due_changes_effective(sessions: Sessions, *, gate_data: GateData, at: datetime) -> int:
    """One round: each due change in its own transaction, its gates measured before that; how many took effect.

    Several workers may run it at once: the change's row is locked and only an ANNOUNCED one moves.
    """
    async with transaction(sessions) as session:
        due = list(await queries.due_changes_anywhere(session, at=at, limit=_AT_ONCE))
    effective = 0
    for change in due:
        measured = await gate_data.measured(group_id=change.group_id, category=change.category, at=at)
        async with transaction(sessions) as session:
            done = await take_effect(
                session,
                group_id=change.group_id,
                category=change.category,
                change_id=change.id,
                measured=measured,
                at=at,
            )
        effective += done.status == ChangeStatus.EFFECTIVE and done.effective_at == at
        log.info("stage_change_due", change_id=str(change.id), status=done.status)
    return effective
