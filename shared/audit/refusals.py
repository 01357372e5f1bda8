"""Refused commands in the audit log: each in a transaction of its own, after the refused one was rolled back.

They are bounded for each caller, so that nobody fills a log by asking again and again: `BURST` at once, then one every
`SECONDS_EACH` seconds. What was left out is counted and told by the caller's next entry.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError

from shared import clock
from shared.audit import entries as audit
from shared.database import Database, transaction
from shared.errors import Refusal, TooLarge
from shared.identity import Principal, who_asks
from shared.logs import log, told

RECORDED = frozenset({403, 404, 409, 412, 413, 422})
BURST = 60
SECONDS_EACH = 2.0
_CALLERS_REMEMBERED = 10_000


@dataclass(slots=True)
class _Allowance:
    """How many more entries a caller may cause, as of when, and how many were left out."""

    left: float
    as_of: float
    left_out: int = 0


class Bound:
    """The allowances of the callers of one process; the one that was quiet longest is forgotten first."""

    def __init__(self, *, burst: int = BURST, seconds_each: float = SECONDS_EACH) -> None:
        self._burst = burst
        self._seconds_each = seconds_each
        self._callers: OrderedDict[UUID, _Allowance] = OrderedDict()

    def take(self, caller: UUID, *, now: float) -> int | None:
        """How many refusals were left out since the caller's last entry; None when this one is left out too."""
        known = self._callers.pop(caller, None) or _Allowance(left=self._burst, as_of=now)
        self._callers[caller] = known
        if len(self._callers) > _CALLERS_REMEMBERED:
            self._callers.popitem(last=False)
        known.left = min(self._burst, known.left + (now - known.as_of) / self._seconds_each)
        known.as_of = now
        if known.left < 1:
            known.left_out += 1
            return None
        known.left -= 1
        left_out, known.left_out = known.left_out, 0
        return left_out


def _is_recorded(request: Request, refusal: Refusal) -> bool:
    """A body that was too large to take in leaves no job that could be its record, so its refusal always is."""
    return audit.is_recorded(request) or (refusal.status == TooLarge.status and request.method in audit.COMMANDS)


async def _caller(request: Request) -> Principal | None:
    """Who was refused, also where a body was refused before the route asked for its caller."""
    if hasattr(request.state, "principal"):
        known: Principal | None = request.state.principal
        return known
    try:
        return await who_asks(request)
    except Refusal:
        return None


def _declared(request: Request) -> dict[str, int]:
    """How large the body said it was: text of at most 18 digits is a whole number in any log."""
    length = request.headers.get("content-length", "")
    return {"declared_bytes": int(length)} if length.isascii() and length.isdigit() and len(length) <= 18 else {}


async def record_refusal(request: Request, refusal: Refusal) -> None:
    """Record that a signed-in caller was refused. A log that cannot be written does not change the answer."""
    if refusal.status not in RECORDED or request.scope.get("route") is None or not _is_recorded(request, refusal):
        return
    principal = await _caller(request)
    if principal is None or principal.company_id is None:
        return
    bound: Bound = request.app.state.audit_bound
    left_out = bound.take(principal.subject, now=time.monotonic())
    if left_out is None:
        return
    at = clock.now()
    audited = getattr(request.state, "audited", None)
    detail = {"left_out_before": left_out} if left_out else {}
    if refusal.status == TooLarge.status:
        detail |= _declared(request)
    entry = audit.entry_of(
        principal,
        act=audit.act_of(request),
        outcome=refusal.code,
        status=refusal.status,
        objects=request.path_params,
        request_id=getattr(request.state, "request_id", None),
        detail=detail,
        at=at,
    )
    owners = audit.owners_of(audited[0] if audited else None, principal=principal, named=audit.named_in(request))
    database: Database = request.app.state.database
    try:
        async with transaction(database.app, principal.company_id) as session:
            await audit.write(session, entry, owners=owners, at=at)
    except (SQLAlchemyError, OSError) as error:
        log.error("audit_not_written", act=entry["act"], outcome=refusal.code, error=told(error))
