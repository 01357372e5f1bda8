"""What a consent covers, and how much of a supplier's record it opens to a viewer under the stages. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from shared.audience import Audience, Meant, ObjectKind, Space, Stage, audience_keys, effective_keys, visible


class Shared(StrEnum):
    """What a supplier may let others read."""

    PROFILE = "profile"
    QUALIFICATION_DOCUMENTS = "qualification_documents"
    QUALIFICATION_DECISION = "qualification_decision"
    EVALUATION = "evaluation"


KIND_OF = {
    Shared.PROFILE: ObjectKind.SUPPLIER_IDENTITY,
    Shared.QUALIFICATION_DOCUMENTS: ObjectKind.QUALIFICATION_DOCUMENT,
    Shared.QUALIFICATION_DECISION: ObjectKind.QUALIFICATION_DECISION,
    Shared.EVALUATION: ObjectKind.EVALUATION,
}


class Form(StrEnum):
    """How much of it is open."""

    FULL = "full"
    REDUCED = "reduced"
    NONE = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """A consent as it stands."""

    supplier_id: UUID
    what: frozenset[str]
    audience: Audience
    to_id: UUID | None
    """The group (ORG) or circle (CIRCLE); none: every member."""
    until: date
    """The last day."""
    revoked_at: datetime | None

    @property
    def meant(self) -> Meant:
        """As the policy takes it."""
        return Meant(audience=self.audience, ids=frozenset() if self.to_id is None else frozenset({self.to_id}))

    def is_for(self, viewer: Collection[str]) -> bool:
        """Whether one who holds these keys is among those it was given to."""
        ids = () if self.to_id is None else (self.to_id,)
        return visible(audience_keys(self.audience, ids, owner=self.supplier_id), viewer)


def form_open(
    what: Shared, *, spaces: Iterable[Space], owner: UUID, viewer: Collection[str], consent: Given | None
) -> Form:
    """How much of something a viewer may read: the ceilings of the spaces the supplier stands in, and its consent.

    The group of a space reads what is its own without anybody's consent; whoever else does needs one that covers it.
    """
    found = Form.NONE
    covers = consent is not None and what in consent.what and consent.is_for(viewer)
    meant = consent.meant if covers and consent is not None else None
    for space in spaces:
        if f"group:{space.group_id}" in viewer:
            return Form.FULL
        if not covers:
            continue
        for reduced, form in ((False, Form.FULL), (True, Form.REDUCED)):
            keys = effective_keys(
                KIND_OF[what],
                own=Meant(audience=Audience.MEMBERS),
                space=space,
                owner=owner,
                consent=meant,
                reduced=reduced,
            )
            if visible(keys, viewer):
                found = Form.FULL if Form.FULL in {form, found} else form
                break
    return found


def may_rely(*, space: Space, owner: UUID, viewer: Collection[str], consent: Given) -> bool:
    """Whether a group may rely on another's decision: the circle's members may (domain.md 3.2), as far as the supplier
    agreed. At S3 members see the common result only, which is no decision of that group."""
    if space.stage is not Stage.S2:
        return False
    form = form_open(Shared.QUALIFICATION_DECISION, spaces=[space], owner=owner, viewer=viewer, consent=consent)
    return form is not Form.NONE
