"""Shares of suppliers, and what a step of a stage opens to each viewer. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from uuid import UUID

from shared.audience import MEMBERS_KEY, PUBLIC_KEY, viewer_keys, visible

_PLACES = Decimal("0.0001")
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_LENGTH = 18
_USCC_MODULUS = 31


def valid_uscc(value: str) -> bool:
    """Whether a unified social credit code has its form and check digit (GB 32100-2015)."""
    if len(value) != _USCC_LENGTH or any(sign not in _USCC_ALPHABET for sign in value):
        return False
    total = sum(_USCC_ALPHABET.index(sign) * pow(3, place, _USCC_MODULUS) for place, sign in enumerate(value[:-1]))
    return _USCC_ALPHABET[-total % _USCC_MODULUS] == value[-1]


def good_share(good: int, whole: int) -> Decimal | None:
    """Rounded down, so that 100 % means all; None of nothing."""
    return (Decimal(good) / whole).quantize(_PLACES, ROUND_DOWN) if whole else None


def bad_share(bad: int, whole: int) -> Decimal | None:
    """Rounded up, so that 0 means none; None of nothing."""
    return (Decimal(bad) / whole).quantize(_PLACES, ROUND_UP) if whole else None


@dataclass(frozen=True, kw_only=True)
class Moved:
    """Offers of one supplier and audience with their keys before and after a step."""

    supplier_id: UUID
    offers: int
    before: frozenset[str]
    after: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What one viewer would see more, or no longer."""

    viewer: str
    suppliers_opened: int
    offers_opened: int
    suppliers_closed: int
    offers_closed: int


def viewers_of(*, group_ids: Iterable[UUID], circle_id: UUID | None) -> dict[str, frozenset[str]]:
    """Who is told apart in the report: the groups of the circle, any member, and those who do not sign in."""
    circles = () if circle_id is None else (circle_id,)
    found = {
        f"group:{group_id}": viewer_keys(company_id=group_id, group_id=group_id, circle_ids=circles)
        for group_id in sorted(set(group_ids))
    }
    return found | {MEMBERS_KEY: frozenset({MEMBERS_KEY, PUBLIC_KEY}), PUBLIC_KEY: viewer_keys()}


def counted(moved: Iterable[Moved], *, viewers: Mapping[str, frozenset[str]]) -> list[Counted]:
    """For each viewer the offers and suppliers that a step opens or closes."""
    all_moved = list(moved)
    found = []
    for viewer, keys in viewers.items():
        opened = [each for each in all_moved if visible(each.after, keys) and not visible(each.before, keys)]
        closed = [each for each in all_moved if visible(each.before, keys) and not visible(each.after, keys)]
        found.append(
            Counted(
                viewer=viewer,
                suppliers_opened=len({each.supplier_id for each in opened}),
                offers_opened=sum(each.offers for each in opened),
                suppliers_closed=len({each.supplier_id for each in closed}),
                offers_closed=sum(each.offers for each in closed),
            )
        )
    return found
