"""Which keys an offer has in the spaces it stands in. The policy itself is `shared.audience`."""

from collections.abc import Iterable
from uuid import UUID

from shared.audience import CEILINGS, Audience, Meant, ObjectKind, Space, Stage, audience_keys, effective_keys, narrower

CARRIED_OVER = UUID(int=0)
"""Stands for the group of admissions that a release without admissions left behind: its spaces are open markets, so
offers stay as visible as they were. It is nobody's group; operators end these admissions one by one (decision 0016)."""

_PRICED_LISTING = (ObjectKind.LISTING, ObjectKind.LIST_PRICE)
_NAMING = frozenset({Audience.PARTIES, Audience.ORG, Audience.CIRCLE})


def _narrower_kind(stage: Stage) -> ObjectKind:
    """An offer is a listing with its list price; one set of keys holds for both, so the narrower ceiling counts."""
    listing, price = _PRICED_LISTING
    ceilings = (CEILINGS[listing][stage].full, CEILINGS[price][stage].full)
    return listing if narrower(*ceilings) is ceilings[0] else price


KIND_AT = {stage: _narrower_kind(stage) for stage in Stage}
"""Which of the two kinds an offer is held to, by stage."""


def named_ids(audience: Audience, ids: Iterable[UUID]) -> list[UUID]:
    """The ids an audience is stored with: sorted, once each; none where the audience names nobody."""
    return sorted(set(ids)) if audience in _NAMING else []


def offer_keys(audience: Audience, ids: Iterable[UUID], *, owner: UUID, spaces: Iterable[Space]) -> frozenset[str]:
    """The keys of a supplier's offer: its own, those of the parties it names, and in each space where the supplier is
    admitted what the policy gives. Without any space it reaches nobody else.

    Groups and circles that an offer names are those it is for (T6): whoever admits a supplier widens nothing by that.
    A circle's offer shows in the spaces that are open to the circle.
    """
    own = Meant(audience=audience, ids=frozenset(ids))
    parties = own.ids if audience is Audience.PARTIES else ()
    keys = set(audience_keys(Audience.PARTIES, parties, owner=owner))
    for space in spaces:
        opened = effective_keys(KIND_AT[space.stage], own=own, space=space, owner=owner)
        keys |= opened if _is_for_its_group(own, space) else opened - {f"group:{space.group_id}"}
    return frozenset(keys - {f"group:{CARRIED_OVER}"})


def _is_for_its_group(own: Meant, space: Space) -> bool:
    """Whether the group of a space is, as far as the space tells, one of those whom an offer names."""
    if own.audience is Audience.ORG:
        return space.group_id in own.ids
    return own.audience is not Audience.CIRCLE or space.circle_id in own.ids
