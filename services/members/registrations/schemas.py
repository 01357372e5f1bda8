"""Bodies of self-service registration."""

from uuid import UUID

from pydantic import Field

from services.members.companies.schemas import TaxIdGiven
from services.members.people.schemas import Email, PasswordText
from shared.contracts.fields import Answer, Body, Name
from shared.contracts.members import CompanyIdentity
from shared.identity import Role


class RegistrationGiven(Body):
    """A supplier's company and its first admin."""

    tax_id: TaxIdGiven
    name_zh: Name | None = Field(default=None, examples=["示范钢铁贸易有限公司"])
    name_en: Name | None = Field(default=None, examples=["Demo Steel Trading"])
    person_name: Name = Field(examples=["王芳"])
    email: Email
    password: PasswordText


class RegistrationView(Answer):
    """Registered: sign in at `POST /members/sessions`, then apply at `POST /suppliers/{company_id}/application`."""

    company: CompanyIdentity
    person_id: UUID
    email: str
    roles: list[Role]
