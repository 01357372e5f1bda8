"""Which scopes an API client may have, and when a secret, session or key still counts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

SUPPLIER_SCOPES = frozenset({"stock:write", "prices:write", "orders:read", "orders:respond"})
SERVICE_SCOPES = frozenset(
    {
        "feed:read",
        "reservations:write",
        "variants:resolve",
        "companies:read",
        "measurements:read",
        "companies:register",
        "orders:count",
    }
)
SCOPES_OF_KIND: dict[str, frozenset[str]] = {"supplier": SUPPLIER_SCOPES}
"""What each kind of company may give its API clients."""


class ClientKind(StrEnum):
    """A company's client acts for the company; a service's acts for the platform."""

    CLIENT = "client"
    SERVICE = "service"


class RefreshOutcome(StrEnum):
    """What a refresh token turns out to be."""

    GOOD = "good"
    OVER = "over"
    REUSED = "reused"


@dataclass(frozen=True, kw_only=True)
class RefreshState:
    """What is known of a refresh token when it is presented."""

    used_at: datetime | None
    expires_at: datetime
    revoked_at: datetime | None
    begun_at: datetime
    password_changed_at: datetime | None


def allowed_scopes(kinds: Collection[str]) -> frozenset[str]:
    """The scopes clients of a company of these kinds may have."""
    return frozenset().union(*(SCOPES_OF_KIND.get(kind, frozenset()) for kind in kinds))


def granted_scopes(
    *, requested: Collection[str] | None, held: Collection[str], allowed: Collection[str]
) -> frozenset[str] | None:
    """What a token gets: all the client may use, or what it asked for.

    None when it asked for more than it may use, or may use nothing (its company is of another kind now).
    """
    usable = frozenset(held) & frozenset(allowed)
    if requested is None:
        return usable or None
    return frozenset(requested) if frozenset(requested) <= usable else None


def judge_refresh(state: RefreshState, *, at: datetime) -> RefreshOutcome:
    """A token used before was copied by someone: reuse counts before anything else."""
    if state.used_at is not None:
        return RefreshOutcome.REUSED
    begun_before_password = state.password_changed_at is not None and state.begun_at < state.password_changed_at
    if state.revoked_at is not None or state.expires_at <= at or begun_before_password:
        return RefreshOutcome.OVER
    return RefreshOutcome.GOOD
