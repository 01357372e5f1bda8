"""Bodies of sessions, tokens and API clients."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from services.members.people.schemas import Email, Moment, PasswordText
from shared.contracts.fields import Answer, Body, Name
from shared.identity import Scope


class SignIn(Body):
    """Who signs in, and for whom; without `company_id` for the first company of the person."""

    email: Email
    password: PasswordText
    company_id: UUID | None = None


class Refresh(Body):
    """The refresh token last received; `company_id` changes whom the person acts for."""

    refresh_token: str = Field(max_length=200, examples=["dgr_Jx0…"])
    company_id: UUID | None = None


class ApiClientGiven(Body):
    """A program that acts for the company."""

    name: Name = Field(examples=["ERP, warehouse 2"])
    scopes: list[Scope] = Field(min_length=1, max_length=10, examples=[["stock:write", "prices:write", "orders:read"]])
    expires_at: Moment | None = None


class Rotation(Body):
    """How long the secret before stays good, so that programs can be changed over."""

    overlap_seconds: Annotated[int, Field(ge=0, le=7 * 86_400)] = 0


class ApiClientView(Answer):
    """An API client, without its secret."""

    id: UUID
    client_id: str = Field(examples=["dg_5e1f0c9ab2d34e77"])
    company_id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    created_by: UUID | None
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="When it last got a token.")
    previous_secret_until: datetime | None


class ApiClientSecret(ApiClientView):
    """An API client with its new secret, shown this once."""

    client_secret: str | None = Field(
        description="None in a replayed answer: a secret is shown once.", examples=["dgs_q9V…"]
    )


class KeySetView(Answer):
    """A JSON Web Key Set (RFC 7517): the current key and retired ones whose tokens may still be about."""

    keys: list[dict[str, Any]]


class SigningKeyView(Answer):
    """The key that signs from now on."""

    kid: str
    created_at: datetime
