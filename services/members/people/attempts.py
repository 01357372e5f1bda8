"""Throttling of passwords, counted in the database so that all processes count together.

An attempt is counted as wrong before the password is checked and taken back when it was right; checking first
would let a thousand requests at one moment all pass a limit of ten.
"""

import hashlib
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.members.people.rules import AttemptLimit, retry_after_seconds
from shared.errors import TooManyRequests

_COUNT = text(
    """
    INSERT INTO attempts AS a (key, window_start, failures) VALUES (:key, :at, 1)
    ON CONFLICT (key) DO UPDATE SET
        failures = CASE WHEN a.window_start <= :window_before THEN 1 ELSE a.failures + 1 END,
        window_start = CASE WHEN a.window_start <= :window_before THEN excluded.window_start ELSE a.window_start END
    RETURNING failures, window_start
    """
)


class TooManyAttempts(TooManyRequests):
    """Too many wrong passwords for this account, or attempts from this network; `Retry-After` says how long to wait."""


def account_key(email: str) -> str:
    """The account as it is counted; also for addresses nobody has, which therefore look the same."""
    return f"account:{hashlib.sha256(email.encode('utf-8', 'surrogatepass')).hexdigest()}"


def network_key(network: str) -> str:
    """The network as it is counted."""
    return f"network:{network}"


def registration_key(network: str) -> str:
    """The network as its registrations are counted, right or wrong: a company registers once."""
    return f"registration:{network}"


async def count(session: AsyncSession, *, limits: dict[str, AttemptLimit], at: datetime) -> None:
    """Count an attempt under each key as wrong. Commit this before checking the password.

    Raises:
        TooManyAttempts: a key has reached its limit; this attempt is not counted and not checked.
    """
    for key in sorted(limits):
        limit = limits[key]
        row = (await session.execute(_COUNT, {"key": key, "at": at, "window_before": at - limit.window})).one()
        if row.failures > limit.most:
            wait = retry_after_seconds(window_start=row.window_start, limit=limit, at=at)
            raise TooManyAttempts(
                f"Too many attempts; try again in {wait} seconds.",
                headers={"Retry-After": str(wait)},
                retry_after_seconds=wait,
            )


async def take_back(session: AsyncSession, *, account: str | None, network: str) -> None:
    """The password was right: forget the account's wrong ones, and this attempt of the network."""
    if account is not None:
        await session.execute(text("DELETE FROM attempts WHERE key = :key"), {"key": account})
    await session.execute(
        text("UPDATE attempts SET failures = failures - 1 WHERE key = :key AND failures > 0"), {"key": network}
    )


async def prune(session: AsyncSession, *, before: datetime) -> int:
    """Forget windows that began before; how many were forgotten."""
    pruned = await session.execute(
        text("DELETE FROM attempts WHERE window_start < :before RETURNING 1"), {"before": before}
    )
    return len(pruned.all())
