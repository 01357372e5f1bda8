"""Bodies of the people routes."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, SecretStr

from services.members.people.rules import (
    PASSWORD_LENGTH_MAX,
    MembershipStatus,
    PersonStatus,
    email_fault,
    normalise_email,
)
from shared.contracts.fields import Answer, Body, Name
from shared.contracts.members import CompanyChoice
from shared.identity import Role


def _email(value: str) -> str:
    email = normalise_email(value)
    fault = email_fault(email)
    if fault is not None:
        raise ValueError(fault)
    return email


Email = Annotated[str, Field(max_length=320), AfterValidator(_email), Field(examples=["li.na@contractor.example"])]
PasswordText = Annotated[SecretStr, Field(max_length=PASSWORD_LENGTH_MAX, examples=["copper kettle on the site"])]
Moment = Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]
Roles = Annotated[list[Role], Field(min_length=1, max_length=8, examples=[["requester", "buyer"]])]


class PersonInvited(Body):
    """Somebody to act for the company. A person whom `members` knows already is invited all the same."""

    email: Email
    name: Name = Field(examples=["李娜"])
    roles: Roles
    valid_from: Moment | None = Field(default=None, description="Now when left out.")
    valid_until: Moment | None = Field(default=None, description="First moment without the roles.")
    verified: bool = Field(
        default=False,
        description="For operators: the account is known to be the person's own, so the membership stands at once.",
    )


class RolesChange(Body):
    """The roles from now on, all of them."""

    roles: Roles


class StatusChange(Body):
    """Whether the person may sign in."""

    status: PersonStatus


class PasswordSet(Body):
    """A password the operator gives; every session of the person ends."""

    password: PasswordText


class PasswordChange(Body):
    """The caller's own password, old and new; every session ends, this one too."""

    current_password: PasswordText
    new_password: PasswordText


class InvitationAcceptance(Body):
    """The token the company handed over, with the person's password: a new one, or the present one of somebody
    who has one already."""

    token: str = Field(max_length=200, examples=["dgi_3kP…"])
    password: PasswordText


class MembershipView(Answer):
    """What a person may do for the company."""

    person_id: UUID
    email: str
    name: str | None = Field(description="Told once the person has accepted.")
    roles: list[Role]
    status: MembershipStatus
    person_status: PersonStatus
    valid_from: datetime
    valid_until: datetime | None
    version: int


class InvitedView(MembershipView):
    """A new membership. Hand the token to the person; it is shown this once."""

    invitation_token: str | None = Field(
        description="None when the person can sign in already, and in a replayed answer."
    )


class InvitationToken(Answer):
    """Hand it to the person; it is shown this once."""

    invitation_token: str | None = Field(description="None in a replayed answer.")


class PersonView(Answer):
    """A person who accepted an invitation."""

    id: UUID
    email: str
    name: str
    company_id: UUID = Field(description="The company that invited.")


class Me(Answer):
    """Who the access token speaks of."""

    id: UUID
    kind: str = Field(examples=["person"])
    name: str
    email: str | None
    company: CompanyChoice | None = Field(description="Whom this access token acts for.")
    scopes: list[str]
    companies: list[CompanyChoice] = Field(description="Whom a refresh may choose.")
