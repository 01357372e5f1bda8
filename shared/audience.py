"""The one visibility policy: who may see an object (domain.md 3.2, T1, T6, T7).

An object carries *audience keys*, a viewer carries *viewer keys*; the viewer sees the object when they share
one. In SQL the same policy is `audience_keys && :viewer_keys` over a GIN index. Nothing is visible by default.

An object stands in a *space*: what one contractor group does in one category, at a stage. `effective_keys` gives an
object its keys there: the narrower of what its author meant and what the stage of the space lets it be at most
(`CEILINGS`, the table of domain.md 3.2 as data). The API, search, exports, feeds, jobs and the command line all ask
this function. A later kind of object joins by a row of the table.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
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


class Stage(StrEnum):
    """How far a contractor group has opened a category. Where nothing is recorded it is S1."""

    S1 = "S1"
    """Enterprise-private."""
    S2 = "S2"
    """A federated circle, which the stage names."""
    S3 = "S3"
    """Open market."""


class ObjectKind(StrEnum):
    """What the table of domain.md 3.2 speaks of."""

    STANDARD_COMPONENT = "standard_component"
    SUPPLIER_IDENTITY = "supplier_identity"
    QUALIFICATION_DOCUMENT = "qualification_document"
    QUALIFICATION_DECISION = "qualification_decision"
    LISTING = "listing"
    STOCK_QUANTITY = "stock_quantity"
    LIST_PRICE = "list_price"
    AGREEMENT_PRICE = "agreement_price"
    """Also formula values, discounts and agreed volumes."""
    TENDER_NOTICE = "tender_notice"
    """Also a request for quotes."""
    SEALED_BID = "sealed_bid"
    OPENED_BID = "opened_bid"
    AWARD_RESULT = "award_result"
    EVALUATION = "evaluation"
    BLACKLIST_ENTRY = "blacklist_entry"
    OFFICIAL_LIST_ENTRY = "official_list_entry"
    DEMAND_FORECAST = "demand_forecast"
    PRICE_STATISTICS = "price_statistics"
    SURPLUS_GOODS = "surplus_goods"
    JOINT_PURCHASE = "joint_purchase"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ceiling:
    """The widest an object may be at one stage: in full, and in a reduced form where one may go further."""

    full: Audience
    reduced: Audience | None = None
    reduced_to: str = ""
    """What alone may be shown to those whom the object reaches in its reduced form only."""
    by_consent: bool = False
    """Wider than the space's own group only as far as the supplier's recorded consent goes (T5)."""


_PARTIES = Ceiling(full=Audience.PARTIES)
_ORG = Ceiling(full=Audience.ORG)
_CIRCLE = Ceiling(full=Audience.CIRCLE)
_MEMBERS = Ceiling(full=Audience.MEMBERS)
_PUBLIC = Ceiling(full=Audience.PUBLIC)


def _reduced(audience: Audience, to: str, *, full: Audience = Audience.ORG) -> Ceiling:
    return Ceiling(full=full, reduced=audience, reduced_to=to)


def _consented(audience: Audience) -> Ceiling:
    return Ceiling(full=audience, by_consent=True)


def _by_stage(first: Ceiling, second: Ceiling, third: Ceiling) -> Mapping[Stage, Ceiling]:
    return MappingProxyType({Stage.S1: first, Stage.S2: second, Stage.S3: third})


CEILINGS: Mapping[ObjectKind, Mapping[Stage, Ceiling]] = MappingProxyType(
    {
        ObjectKind.STANDARD_COMPONENT: _by_stage(_PUBLIC, _PUBLIC, _PUBLIC),
        ObjectKind.SUPPLIER_IDENTITY: _by_stage(_ORG, _CIRCLE, _PUBLIC),
        ObjectKind.QUALIFICATION_DOCUMENT: _by_stage(_ORG, _consented(Audience.CIRCLE), _consented(Audience.MEMBERS)),
        ObjectKind.QUALIFICATION_DECISION: _by_stage(
            _ORG,
            _reduced(Audience.CIRCLE, "recognised from which contractor, on which date"),
            _reduced(Audience.MEMBERS, "the result of the common qualification"),
        ),
        ObjectKind.LISTING: _by_stage(_ORG, _CIRCLE, _PUBLIC),
        ObjectKind.STOCK_QUANTITY: _by_stage(
            _ORG, _CIRCLE, _reduced(Audience.PUBLIC, "the quantity band", full=Audience.MEMBERS)
        ),
        ObjectKind.LIST_PRICE: _by_stage(_ORG, _CIRCLE, _PUBLIC),
        ObjectKind.AGREEMENT_PRICE: _by_stage(_ORG, _ORG, _ORG),
        ObjectKind.TENDER_NOTICE: _by_stage(_PARTIES, _CIRCLE, _PUBLIC),
        ObjectKind.SEALED_BID: _by_stage(_PARTIES, _PARTIES, _PARTIES),
        ObjectKind.OPENED_BID: _by_stage(_ORG, _ORG, _ORG),
        ObjectKind.AWARD_RESULT: _by_stage(
            _ORG,
            _reduced(Audience.CIRCLE, "the winner, not the price"),
            _reduced(Audience.PUBLIC, "the winner, not the price"),
        ),
        ObjectKind.EVALUATION: _by_stage(
            _ORG,
            _reduced(Audience.CIRCLE, "scores by dimension"),
            _reduced(Audience.MEMBERS, "aggregates over at least three contractor groups"),
        ),
        ObjectKind.BLACKLIST_ENTRY: _by_stage(
            _ORG, _reduced(Audience.CIRCLE, "the fact, the class of reason and the expiry"), _ORG
        ),
        ObjectKind.OFFICIAL_LIST_ENTRY: _by_stage(_PUBLIC, _PUBLIC, _PUBLIC),
        ObjectKind.DEMAND_FORECAST: _by_stage(
            _ORG,
            _reduced(Audience.CIRCLE, "quantities pooled by category and month"),
            _reduced(Audience.MEMBERS, "aggregates"),
        ),
        ObjectKind.PRICE_STATISTICS: _by_stage(
            _ORG,
            _reduced(Audience.CIRCLE, "aggregates under T4"),
            _reduced(Audience.PUBLIC, "aggregates under T4"),
        ),
        ObjectKind.SURPLUS_GOODS: _by_stage(_ORG, _CIRCLE, _PUBLIC),
        ObjectKind.JOINT_PURCHASE: _by_stage(_PARTIES, _CIRCLE, _MEMBERS),
    }
)
"""Object kind × stage → ceiling. Conditions that are no matter of the audience (tender law asks for an award's price,
n ≥ 3 of an aggregate) are kept by those who make the reduced form."""

PARTIES_AND_OWN_GROUP = frozenset({ObjectKind.AGREEMENT_PRICE, ObjectKind.OPENED_BID})
"""Never open to more than the named parties and the space's own group, whatever its author, a consent or a stage says
(T1)."""
OWNER_ALONE = frozenset({ObjectKind.SEALED_BID})
"""Open to nobody but its owner, not even to the group that asked for it (T3)."""

_WIDTH = {audience: width for width, audience in enumerate(Audience)}
_PREFIX = {Audience.PARTIES: "company", Audience.ORG: "group", Audience.CIRCLE: "circle"}


def narrower(first: Audience, second: Audience) -> Audience:
    """The narrower of an object's own audience and the ceiling of the space it stands in."""
    return min(first, second, key=lambda audience: _WIDTH[audience])


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """What a contractor group does in one category: its stage there and, at S2, the circle it is open to."""

    group_id: UUID
    stage: Stage = Stage.S1
    circle_id: UUID | None = None
    circle_group_ids: frozenset[UUID] = frozenset()
    """The groups in that circle, where known: an audience may then name some of them instead of the whole circle."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Meant:
    """An object's own audience, as its author set it or a consent reaches.

    `ids` names companies (PARTIES), further groups (ORG) or circles (CIRCLE); `parties` are named counterparties,
    who see the object whatever its audience is.
    """

    audience: Audience
    ids: frozenset[UUID] = frozenset()
    parties: frozenset[UUID] = frozenset()


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


def effective_keys(
    kind: ObjectKind,
    *,
    own: Meant,
    space: Space,
    owner: UUID,
    consent: Meant | None = None,
    reduced: bool = False,
) -> frozenset[str]:
    """The keys of an object in its space: the narrower of its own audience, the ceiling and, where one is needed, the
    supplier's consent.

    Within a space the audiences are nested: PARTIES are those named, ORG adds the space's own group, CIRCLE its
    circle, and so on; naming further groups or circles never reaches beyond the ceiling. `reduced` asks for the keys
    of the reduced form; where the table knows none they are those of the full object.
    """
    parties = own.parties | (own.ids if own.audience is Audience.PARTIES else frozenset())
    if kind in OWNER_ALONE:
        return audience_keys(Audience.PARTIES, owner=owner)
    keys = set(audience_keys(Audience.PARTIES, parties, owner=owner))
    if kind in PARTIES_AND_OWN_GROUP:
        return frozenset(keys | {f"group:{space.group_id}"})
    ceiling = CEILINGS[kind][space.stage]
    widest = ceiling.reduced if reduced and ceiling.reduced is not None else ceiling.full
    reached = _reach(own, widest, space)
    if ceiling.by_consent:
        consented = {f"group:{space.group_id}"} if consent is None else _reach(consent, widest, space)
        reached = _both_reach(reached, consented, space)
    return frozenset(keys | reached)


def _both_reach(first: set[str], second: set[str], space: Space) -> set[str]:
    """The keys of those whom two sets of keys both open an object to."""
    return {key for key in first if _covers(second, key, space)} | {key for key in second if _covers(first, key, space)}


def _covers(keys: set[str], key: str, space: Space) -> bool:
    """Whether everybody who holds `key` is reached by `keys` too."""
    if key in keys or PUBLIC_KEY in keys:
        return True
    if MEMBERS_KEY in keys:
        return key != PUBLIC_KEY
    in_the_circle = {f"group:{group_id}" for group_id in space.circle_group_ids}
    return f"circle:{space.circle_id}" in keys and key in in_the_circle


def _reach(meant: Meant, widest: Audience, space: Space) -> set[str]:
    """The keys beyond named parties that an audience has under a ceiling; none for PARTIES."""
    audience = narrower(meant.audience, widest)
    if audience is Audience.PARTIES:
        return set()
    keys = {f"group:{space.group_id}"}
    if meant.audience is Audience.ORG:
        keys |= {f"group:{group_id}" for group_id in _groups_under(meant.ids, widest, space)}
    elif meant.audience is Audience.CIRCLE and audience is Audience.CIRCLE:
        named = meant.ids & _the_circle(space) if widest is Audience.CIRCLE else meant.ids
        keys |= {f"circle:{circle_id}" for circle_id in named}
    elif audience is Audience.CIRCLE:
        keys |= {f"circle:{circle_id}" for circle_id in _the_circle(space)}
    elif audience in {Audience.MEMBERS, Audience.PUBLIC}:
        keys |= {MEMBERS_KEY} if audience is Audience.MEMBERS else {MEMBERS_KEY, PUBLIC_KEY}
    return keys


def _the_circle(space: Space) -> frozenset[UUID]:
    return frozenset() if space.circle_id is None else frozenset({space.circle_id})


def _groups_under(named: frozenset[UUID], widest: Audience, space: Space) -> frozenset[UUID]:
    if widest is Audience.ORG:
        return frozenset()
    if widest is Audience.CIRCLE:
        return named & space.circle_group_ids if space.circle_id is not None else frozenset()
    return named


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What a move between two stages changes for one kind of object."""

    kind: ObjectKind
    before: Ceiling
    after: Ceiling


def changes_between(before: Stage, after: Stage) -> list[Change]:
    """What a stage change makes visible or hides, kind by kind, from the table alone; kinds it leaves alone are not
    named."""
    return [
        Change(kind=kind, before=stages[before], after=stages[after])
        for kind, stages in CEILINGS.items()
        if stages[before] != stages[after]
    ]


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
