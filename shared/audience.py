"""The one visibility policy: who may see an object (domain.md 3.2, T1, T6).

An object carries *audience keys*, a viewer carries *viewer keys*; the viewer sees the object when they share
one. In SQL the same policy is `audience_keys && :viewer_keys` over a GIN index. Nothing is visible by default.
"""

from collections.abc import Iterable
from enum import StrEnum
from uuid import UUID

PUBLIC_KEY = "public"
MEMBERS_KEY = "members"


class Audience(StrEnum):
    """Who an object is meant for, from narrow to wide."""

    PARTIES = "PARTIES"
    ORG = "ORG"
    CIRCLE = "CIRCLE"
    MEMBERS = "MEMBERS"
    PUBLIC = "PUBLIC"


_WIDTH = {audience: width for width, audience in enumerate(Audience)}
_PREFIX = {Audience.PARTIES: "company", Audience.ORG: "group", Audience.CIRCLE: "circle"}


def narrower(first: Audience, second: Audience) -> Audience:
    """The narrower of an object's own audience and the ceiling of the space it stands in."""
    return min(first, second, key=lambda audience: _WIDTH[audience])


def audience_keys(audience: Audience, ids: Iterable[UUID] = (), *, owner: UUID) -> frozenset[str]:
    """The keys that open an object.

    `ids` names the companies (PARTIES), groups (ORG) or circles (CIRCLE) it is meant for; the owner always
    sees its own. A narrow audience that names nobody is open to its owner alone.
    """
    keys = {f"company:{owner}"}
    if audience is Audience.PUBLIC:
        keys |= {PUBLIC_KEY, MEMBERS_KEY}
    elif audience is Audience.MEMBERS:
        keys.add(MEMBERS_KEY)
    else:
        keys |= {f"{_PREFIX[audience]}:{identifier}" for identifier in ids}
    return frozenset(keys)


def viewer_keys(
    *, company_id: UUID | None = None, group_id: UUID | None = None, circle_ids: Iterable[UUID] = ()
) -> frozenset[str]:
    """The keys a viewer holds; without a company only what is public."""
    if company_id is None:
        return frozenset({PUBLIC_KEY})
    keys = {PUBLIC_KEY, MEMBERS_KEY, f"company:{company_id}"}
    if group_id is not None:
        keys.add(f"group:{group_id}")
    keys |= {f"circle:{identifier}" for identifier in circle_ids}
    return frozenset(keys)


def visible(object_keys: Iterable[str], holder_keys: Iterable[str]) -> bool:
    """Whether one who holds `holder_keys` sees an object with `object_keys`."""
    return not frozenset(object_keys).isdisjoint(holder_keys)
