"""Bodies of the dictionary's routes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from services.catalog.dictionary.documents import TypeCode, TypeDocument
from shared.contracts.catalog import VariantSnapshot
from shared.contracts.fields import Answer, Body, Name, Text


class Publication(Body):
    """A new type, or the next version of one."""

    publish: TypeDocument


class Deprecation(Body):
    """A type that takes no new variants; its old ones stay readable."""

    code: TypeCode = Field(examples=["FM-OLD"])
    successor: TypeCode = Field(description="A type in use, or one this proposal publishes.", examples=["FM-NEW"])
    reason: Name


class DeprecationChange(Body):
    """The end of a type."""

    deprecate: Deprecation


class ProposalRequest(Body):
    """Changes that shall be published together, or not at all."""

    title: Name = Field(examples=["Grades of GB 1499.2-2024"])
    note: Text = Field(default="", description="For the reviewer: why, and where it is written.")
    changes: Annotated[list[Publication | DeprecationChange], Field(min_length=1, max_length=100)]


class Return(Body):
    """Why a proposal goes back to who proposed it."""

    reason: Text = Field(min_length=1, examples=["HRB335 needs its successor."])


class DifferenceView(Answer):
    """One difference between two versions."""

    what: str = Field(description="added, changed, removed or deprecated.", examples=["added"])
    part: str = Field(
        description="name, definition, unit, property, allowed_value, code, standard, relation or field.",
        examples=["allowed_value"],
    )
    key: str = Field(examples=["grade=HRB600E"])
    before: Any = None
    after: Any = None
    breaking: bool = Field(description="What could be said before cannot be said any more, or more must be said.")


class TypeDifference(Answer):
    """What differs in one type."""

    code: str
    name_zh: str
    before: int | None = Field(description="Its version before; null: it is new.")
    after: int | None = Field(description="Its version after; null: not yet published.")
    status_before: str | None
    status_after: str
    successor: str | None = None
    breaking: bool
    differences: list[DifferenceView]


class ProposalEventView(Answer):
    """Something that happened to a proposal."""

    action: str = Field(examples=["RETURNED"])
    revision: int
    changes_hash: str = Field(description="SHA-256 of the changes as they were then.")
    by_name: str
    reason: str | None
    at: datetime


class ProposalSummary(Answer):
    """A proposal in a list."""

    id: UUID
    title: str
    note: str
    state: str = Field(description="PROPOSED, RETURNED, PUBLISHED or WITHDRAWN.", examples=["PROPOSED"])
    revision: int = Field(description="The ETag, for If-Match.")
    types: list[str] = Field(description="Codes of the types it is about.")
    proposed_by: UUID
    proposed_by_name: str
    proposed_at: datetime
    reviewed_by_name: str | None
    reviewed_at: datetime | None
    review_reason: str | None
    dictionary_version: int | None = Field(description="Set when published.")


class ProposalView(ProposalSummary):
    """A proposal with everything a reviewer reads."""

    changes: list[dict[str, Any]]
    differences: list[TypeDifference] = Field(description="Against what was published when it was proposed.")
    history: list[ProposalEventView]


class TypeVersionView(Answer):
    """A published version of a type."""

    version: int
    content_hash: str
    published_at: datetime
    proposal_id: UUID | None = Field(description="Null: from the taxonomy we ship.")


class DictionaryVersionView(Answer):
    """A state of the whole dictionary."""

    version: int
    origin: str = Field(description="SEED: the taxonomy we ship. REVIEW: a reviewed proposal.", examples=["REVIEW"])
    proposal_id: UUID | None
    published_at: datetime
    types: int = Field(description="Types it changed.")


class SpecificationView(Answer):
    """What a specification hash stands for: an order line that froze the hash froze all of this."""

    spec_hash: str
    variant: VariantSnapshot
    dictionary_version: int = Field(description="The first version of the dictionary with this version of the type.")
    type_version_now: int = Field(description="The type's present version.")
    type_status: str = Field(description="ACTIVE or DEPRECATED, now.")
    successor: str | None


class DictionaryDifference(Answer):
    """What differs between two versions of the dictionary."""

    before: int
    after: int
    types: list[TypeDifference]


def codes_named(change: Mapping[str, Any]) -> str:
    """The code of the type a stored change is about."""
    return str((change.get("publish") or change["deprecate"])["code"])
