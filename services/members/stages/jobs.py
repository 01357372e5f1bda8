"""Announced stage changes take effect when their day has come, and nobody has to be there."""

from datetime import datetime, timedelta

from services.members.stages import queries
from services.members.stages.effects import look_again, take_effect
from services.members.stages.gate_data import GateData
from services.members.stages.rules import ChangeStatus
from shared.database import Sessions, transaction
from shared.logs import log

_AT_ONCE = 50
_LOOK_AGAIN_AFTER = timedelta(hours=20)
"""Daily at the latest, whatever the hour at which the worker begins."""


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


async def look_at_open_gates(sessions: Sessions, *, gate_data: GateData, at: datetime) -> int:
    """Judge the gates of open categories again, each in its own transaction; how many categories have fallen gates.

    The transaction that judged a category marks it, so it is not due again today.
    """
    with_fallen = 0
    while True:
        async with transaction(sessions) as session:
            due = await queries.open_stages_anywhere(session, looked_at_before=at - _LOOK_AGAIN_AFTER, limit=_AT_ONCE)
            spaces = [(stage.group_id, stage.category) for stage in due]
        for group_id, category in spaces:
            measured = await gate_data.measured(group_id=group_id, category=category, at=at)
            async with transaction(sessions) as session:
                fallen = await look_again(session, group_id=group_id, category=category, measured=measured, at=at)
            with_fallen += bool(fallen)
            if fallen:
                log.warning("stage_gates_fallen", group_id=str(group_id), category=category, gates=fallen)
        if len(spaces) < _AT_ONCE:
            return with_fallen
