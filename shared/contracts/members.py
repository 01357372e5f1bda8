"""What `members` says to other services and to the command line: companies, tokens, events."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.contracts.fields import Answer, Body, Name

COMPANY_LINKED = "dev.dougong.members.company.linked.v1"
CIRCLE_CHANGED = "dev.dougong.members.circle.changed.v1"
STAGE_GATES_CHANGED = "dev.dougong.members.stage.gates-changed.v1"
STAGE_CHANGED = "dev.dougong.members.stage.changed.v1"
STAGE_STOPPED = "dev.dougong.members.stage.stopped.v1"
COMPANY_AFFILIATED = "dev.dougong.members.company.affiliated.v1"
COMPANY_LEFT = "dev.dougong.members.company.left.v1"


class TaxId(Answer):
    """The number a company is registered under, in its one spelling."""

    scheme: str = Field(examples=["USCC"])
    country: str = Field(examples=["CN"])
    value: str = Field(examples=["91110000MA4GCAL01D"])


class CompanyIdentity(Answer):
    """What every signed-in caller may know of a company."""

    id: UUID
    name: str = Field(description="The name to show: the Chinese one where there is one.")
    name_zh: str | None = Field(examples=["示范建工集团有限公司"])
    name_en: str | None = Field(examples=["Demo Construction Group"])
    tax_id: TaxId
    kinds: list[str] = Field(examples=[["contractor"]])
    status: str = Field(examples=["ACTIVE"])
    affiliated_with_operator: bool = Field(
        default=False, description="It stands under one top with an operator: marked wherever it sells."
    )


class SupplierCompanyGiven(Body):
    """A supplier company that another service has seen proof of: take it in, or say who it is."""

    tax_id: str = Field(max_length=64, description="Its USCC.", examples=["91320500MA2DEMQ7X8"])
    name_zh: Name
    branch: bool = Field(default=False, description="A 分公司, which has a USCC of its own.")


class CompanyChoice(Answer):
    """A company a person may act for, and as what."""

    id: UUID
    name: str
    roles: list[str] = Field(examples=[["requester", "buyer"]])


class TokenAnswer(Answer):
    """The answer to client credentials (RFC 6749 5.1)."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the scheme's name
    expires_in: int = Field(description="Seconds.", examples=[600])
    scope: str = Field(examples=["orders:read stock:write"])


class SessionAnswer(Answer):
    """A person is signed in for one company."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the scheme's name
    expires_in: int = Field(description="Seconds.", examples=[600])
    refresh_token: str = Field(description="Good for one use, which gives the next one.")
    refresh_expires_at: datetime
    person_id: UUID
    name: str
    company: CompanyChoice = Field(description="Whom this access token acts for.")
    companies: list[CompanyChoice] = Field(description="Whom a refresh may choose.")


class CompanyRegistered(BaseModel):
    """dev.dougong.members.company.registered.v1"""

    company_id: UUID
    name_zh: str | None
    name_en: str | None
    tax_id: TaxId
    kinds: list[str]
    status: str


class CompanyRenamed(BaseModel):
    """dev.dougong.members.company.renamed.v1"""

    company_id: UUID
    name_zh: str | None
    name_en: str | None
    former_name_zh: str | None
    former_name_en: str | None


class CompanyChanged(BaseModel):
    """dev.dougong.members.company.changed.v1: kinds, size or status."""

    company_id: UUID
    kinds: list[str]
    size_class: str | None
    size_declared_on: date | None
    status: str


class CompanyLeft(BaseModel):
    """dev.dougong.members.company.left.v1: no new business with it from here on."""

    company_id: UUID
    left_at: datetime


class CompanyAffiliated(BaseModel):
    """dev.dougong.members.company.affiliated.v1: it trades and stands under one top with an operator, or no longer."""

    company_id: UUID
    operator_id: UUID | None


class CompanyLinked(BaseModel):
    """dev.dougong.members.company.linked.v1, also when a link gets its last day."""

    link_id: UUID
    child_id: UUID
    parent_id: UUID
    kind: str
    valid_from: date
    valid_until: date | None


class MembershipChanged(BaseModel):
    """dev.dougong.members.membership.changed.v1"""

    company_id: UUID
    person_id: UUID
    roles: list[str]
    status: str
    valid_from: datetime
    valid_until: datetime | None


class CircleChanged(BaseModel):
    """dev.dougong.members.circle.changed.v1

    `what` is founded, invited, agreed, joined, declined, withdrawn, left, removed or dissolved. Who holds the circle's
    key changes with joined, left, removed and dissolved alone.
    """

    circle_id: UUID
    name: str
    status: str
    what: str
    group_id: UUID
    member_ids: list[UUID]


class StageChanged(BaseModel):
    """dev.dougong.members.stage.changed.v1: how far a contractor group has opened a category, from now on.

    `circle_id` is the circle of stage S2. Objects of the group in this category get new audience keys.
    """

    group_id: UUID
    category: str
    stage: str
    circle_id: UUID | None
    before_stage: str
    before_circle_id: UUID | None
    change_id: UUID
    what: str


class StageChangeAnnounced(BaseModel):
    """dev.dougong.members.stage.announced.v1: nothing has changed yet; from when on it will."""

    group_id: UUID
    category: str
    from_stage: str
    to_stage: str
    circle_id: UUID
    change_id: UUID
    effective_from: datetime


class StageChangeStopped(BaseModel):
    """dev.dougong.members.stage.stopped.v1: a change that was not in effect was suspended or reverted. `was` is its
    status before; one that was ANNOUNCED had been told to everybody concerned, and does not come on its day."""

    group_id: UUID
    category: str
    from_stage: str
    to_stage: str
    circle_id: UUID
    change_id: UUID
    was: str
    what: Literal["suspended", "reverted"]


class StageGatesChanged(BaseModel):
    """dev.dougong.members.stage.gates-changed.v1: gates of an open category fell, or hold again. Nothing is closed by
    it: the group's admin or an operator suspends or reverts the change."""

    group_id: UUID
    category: str
    stage: str
    change_id: UUID
    fallen: dict[str, str | None]
    """What was measured, by gate; None: not measured."""
    recovered: list[str]


class WebhookEndpointDisabled(BaseModel):
    """dev.dougong.members.webhook_endpoint.disabled.v1: by what happened to it; a company's own doing is no event."""

    company_id: UUID
    endpoint_id: UUID
    why: str = Field(examples=["failing"])


class StageView(Answer):
    """How far a contractor group has opened a category; a pair that is not listed is at S1."""

    group_id: UUID
    category: str = Field(examples=["finishes_misc"])
    stage: str = Field(examples=["S2"])
    circle_id: UUID | None = Field(description="The circle of stage S2.")
    since: datetime
    version: int
    gates_looked_at: datetime | None = Field(default=None, description="When its gates were last judged again.")
    fallen_gates: list[str] = Field(
        default_factory=list,
        description="Gates that held no longer then. The category stays open: only people narrow it.",
        examples=[["valid_suppliers"]],
    )


class GateMeasurements(Answer):
    """What other services measure for the gates of one contractor group and category. None is: not measured."""

    mapped_spend_share: Decimal | None = Field(
        default=None, description="Spend of the last 90 days on mapped codes / spend.", examples=["0.9630"]
    )
    valid_supplier_share: Decimal | None = Field(
        default=None, description="Active suppliers with a valid USCC and no open duplicate / active suppliers."
    )
    expired_document_share: Decimal | None = Field(
        default=None, description="Active suppliers with an expired qualification document / active suppliers."
    )
    trading_operator_groups: list[UUID] | None = Field(
        default=None, description="The groups in which a company or a person that operates also trades."
    )
