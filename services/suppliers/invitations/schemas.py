"""Bodies of the invitation routes."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, StringConstraints, field_validator, model_validator

from services.suppliers.invitations.queries import InvitationSeen
from services.suppliers.invitations.rules import (
    CATEGORIES_AT_MOST,
    InvitationState,
    Invitee,
    email_fault,
    normalised_tax_id,
    tax_id_fault,
)
from services.suppliers.invitations.tables import Invitation
from shared.contracts.fields import Answer, Body, Name

FILE_BODY: dict[str, Any] = {
    "required": True,
    "description": ("Columns: name (供应商名称, needed), uscc (统一社会信用代码), email (邮箱), categories (品类)."),
    "content": {
        "text/csv": {"schema": {"type": "string"}},
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {
            "schema": {"type": "string", "format": "binary"}
        },
    },
}

Category = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,60}$"), Field(examples=["rebar"])]


class InvitationGiven(Body):
    """Whom to invite."""

    name: Name = Field(examples=["示范钢铁贸易有限公司"])
    tax_id: Annotated[str, Field(max_length=64, examples=["91320500MA2DEMQ7X8"])] | None = Field(
        default=None, description="统一社会信用代码; only this company may accept then."
    )
    email: Annotated[str, Field(max_length=254, examples=["sales@steel.example"])] | None = None
    categories: list[Category] = Field(default_factory=list, max_length=CATEGORIES_AT_MOST)

    @field_validator("tax_id")
    @classmethod
    def _tax_id(cls, value: str | None) -> str | None:
        if value is None:
            return None
        tax_id = normalised_tax_id(value)
        if fault := tax_id_fault(tax_id):
            raise ValueError(fault[1])
        return tax_id

    @model_validator(mode="after")
    def _email(self) -> Self:
        if self.email is not None and (fault := email_fault(self.email)):
            raise ValueError(fault[1])
        return self

    @property
    def invitee(self) -> Invitee:
        """As the rules take it."""
        return Invitee(
            name=self.name, tax_id=self.tax_id, email=self.email, categories=tuple(sorted(set(self.categories)))
        )


class CodeGiven(Body):
    """The code a contractor handed over."""

    code: Annotated[str, StringConstraints(min_length=8, max_length=200)] = Field(examples=["dgs_3kP…"])


class InvitationView(Answer):
    """An invitation as the inviting group sees it."""

    id: UUID
    company_name: str
    tax_id: str | None
    email: str | None
    categories: list[str]
    state: InvitationState
    supplier_id: UUID | None
    created_at: datetime
    expires_at: datetime
    opened_at: datetime | None
    accepted_at: datetime | None
    version: int


class InvitedView(InvitationView):
    """A new invitation. Hand the code over; it is shown this once."""

    code: str | None = Field(description="None in a replayed answer: ask for a new code then.")


class RowProblemView(Answer):
    """What is wrong with one cell."""

    row: int = Field(description="The header is row 1.")
    column: str
    code: str
    text: str


class InvitedRow(Answer):
    """A row that became an invitation."""

    row: int
    id: UUID
    company_name: str
    email: str | None
    code: str | None = Field(description="Shown this once.")


class InvitationFileView(Answer):
    """What became of a file of invitations."""

    repeated: bool = Field(description="The same file was sent before: nothing was done, no codes are shown.")
    invited: int
    rejected: int
    invitations: list[InvitedRow]
    problems: list[RowProblemView]


class FunnelView(Answer):
    """How far those your group invited have come: each counts once, where it stands now."""

    total: int
    states: dict[InvitationState, int]


class OpenedView(Answer):
    """What a code invites to."""

    inviter_name: str
    company_name: str
    tax_id: str | None
    categories: list[str]
    expires_at: datetime
    what_the_inviter_sees: str = Field(
        default="Whether you registered, were verified, submitted, were qualified or refused; none of your papers."
    )


def invitation_view(seen: InvitationSeen) -> InvitationView:
    """For the inviting group."""
    return InvitationView.model_validate({**seen.invitation.model_dump(), "state": seen.state})


def invited_view(invitation: Invitation, *, code: str) -> InvitedView:
    """A new invitation or a new code."""
    return InvitedView.model_validate({**invitation.model_dump(), "state": InvitationState.INVITED, "code": code})
