"""What a joint purchasing notice may be, and what of its pool is shown to whom. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

GROUPS_TO_SHOW_A_TOTAL = 3
"""With fewer, one that knows its own quantity would know the other's."""

OPEN_FOR_AT_MOST = timedelta(days=180)
_FINE = (1, 2, 3, 4, 5, 6, 7, 8, 9)
_COARSE = (1, 2, 5)


class NoticeStatus(StrEnum):
    """Where a notice stands. CLOSED and CANCELLED are final."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


class ParticipationStatus(StrEnum):
    """Whether a group is in. One that left may come back while the notice is open."""

    JOINED = "JOINED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """What of a line's pooled quantity is shown: the exact total, or between which figures it lies."""

    total: Decimal | None
    at_least: Decimal
    below: Decimal | None
    """None: nobody wants anything of it yet, or the total is shown."""


def pool_shown(*, total: Decimal, groups: int, status: NoticeStatus) -> Pool:
    """The pool of a line, as it may be shown.

    The exact total is said once, when the notice has closed, and only where at least three groups stand behind it.
    While it is open a total that moved each time somebody came would tell what the newcomer wants, so until then it
    is a range: of one significant figure, and on the steps 1, 2, 5 while fewer than three groups want the line.
    """
    if status is NoticeStatus.CLOSED and groups >= GROUPS_TO_SHOW_A_TOTAL:
        return Pool(total=total, at_least=total, below=None)
    if total <= 0:
        return Pool(total=None, at_least=Decimal(0), below=None)
    steps = _FINE if groups >= GROUPS_TO_SHOW_A_TOTAL else _COARSE
    power = Decimal(1).scaleb(total.adjusted())
    lower = max(step for step in steps if step * power <= total)
    higher = [step for step in steps if step > lower]
    return Pool(total=None, at_least=lower * power, below=(higher[0] if higher else 10) * power)


def closing_fault(*, closes_at: datetime, month: date, at: datetime, today: date) -> tuple[str, str, str] | None:
    """The field, rule and sentence when a notice's dates do not go together."""
    if closes_at <= at:
        return ("closes_at", "Future", "A notice closes in the future.")
    if closes_at - at > OPEN_FOR_AT_MOST:
        return ("closes_at", "Soon", f"A notice is open for at most {OPEN_FOR_AT_MOST.days} days.")
    if month.day != 1:
        return ("month", "FirstDay", "A month is given as its first day.")
    if month < today.replace(day=1) or month < closes_at.date().replace(day=1):
        return ("month", "AfterClosing", "What is bought together is wanted in the month of closing or later.")
    return None


def deltas(before: Mapping[int, Decimal], after: Mapping[int, Decimal]) -> dict[int, tuple[Decimal, int]]:
    """By line: how much more the pool holds, and how many groups more want it, when one group changes its mind."""
    changed = {}
    for line_no in before.keys() | after.keys():
        was, now = before.get(line_no, Decimal(0)), after.get(line_no, Decimal(0))
        if was != now:
            changed[line_no] = (now - was, (now > 0) - (was > 0))
    return changed
