"""Passwords and keys of a local installation: made at random, kept in one file that only its owner reads."""

import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.instance import CannotStart


class Client(BaseModel):
    """An API client's id and secret."""

    client_id: str
    client_secret: str


class SignIn(BaseModel):
    """A person's e-mail address and password."""

    email: str
    password: str
    name: str = ""
    company: str = ""
    tax_id: str = ""
    roles: list[str] = Field(default_factory=list)


class SupplierKey(Client):
    """A supplier's API client, as its ERP would hold it."""

    name: str
    tax_id: str
    company_id: str


class Credentials(BaseModel):
    """What `make up` prints; the command line signs in with it."""

    model_config = ConfigDict(validate_assignment=True)

    addresses: dict[str, str] = Field(default_factory=dict)
    """Where each service answers."""
    services: dict[str, Client] = Field(default_factory=dict)
    operator: SignIn | None = None
    people: dict[str, SignIn] = Field(default_factory=dict)
    """By e-mail address."""
    suppliers: dict[str, SupplierKey] = Field(default_factory=dict)
    """By tax id."""

    @classmethod
    def load(cls, file: Path) -> "Credentials":
        """What the file holds; nothing when there is no file.

        Raises:
            CannotStart: the file is there and cannot be read.
        """
        if not file.exists():
            return cls()
        try:
            return cls.model_validate_json(file.read_bytes())
        except (OSError, ValidationError) as problem:
            raise CannotStart(f"{file} cannot be read; put it right, or remove it and `make clean`.") from problem

    def save(self, file: Path) -> None:
        """Replace the file in one move; nobody else may read it at any moment."""
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(self.model_dump_json(indent=2))
        fresh.replace(file)


def new_password() -> str:
    """Long enough for every rule, short enough to type."""
    return f"{secrets.token_hex(3)}-{secrets.token_hex(3)}-{secrets.token_hex(3)}"


def new_secret() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)
