"""What an invitation may become, and what a row of a file must hold."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

ROWS_AT_MOST = 2000
CATEGORIES_AT_MOST = 50
TAX_ID_LENGTH = 18
_OLD_TAX_ID_LENGTH = 15
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(TAX_ID_LENGTH - 1))
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_CATEGORY = re.compile(r"[a-z0-9_]{1,60}")

COLUMNS: Mapping[str, str] = {
    "name": "name",
    "company": "name",
    "company_name": "name",
    "供应商名称": "name",
    "企业名称": "name",
    "名称": "name",
    "uscc": "tax_id",
    "tax_id": "tax_id",
    "统一社会信用代码": "tax_id",
    "email": "email",
    "e-mail": "email",
    "邮箱": "email",
    "电子邮箱": "email",
    "categories": "categories",
    "category": "categories",
    "品类": "categories",
}
"""How the columns of a file may be headed; `name` alone is needed."""


class InvitationState(StrEnum):
    """Where an invited supplier stands; the funnel counts them."""

    INVITED = "INVITED"
    OPENED = "OPENED"
    """Somebody looked at what the code invites to."""
    REGISTERED = "REGISTERED"
    """A company accepted it."""
    IDENTITY_VERIFIED = "IDENTITY_VERIFIED"
    SUBMITTED = "SUBMITTED"
    QUALIFIED = "QUALIFIED"
    """Of the platform; a candidate for the inviting group, which has not admitted it yet."""
    ADMITTED = "ADMITTED"
    """Qualified, and admitted by the inviting group for at least one category."""
    REFUSED = "REFUSED"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


_OF_APPLICATION = {
    "IDENTITY_VERIFIED": InvitationState.IDENTITY_VERIFIED,
    "DOCUMENTS_SUBMITTED": InvitationState.SUBMITTED,
    "UNDER_REVIEW": InvitationState.SUBMITTED,
    "RETURNED": InvitationState.SUBMITTED,
    "REJECTED": InvitationState.REFUSED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """What is known of an invitation and of the supplier that accepted it."""

    expires_at: datetime
    opened_at: datetime | None
    revoked_at: datetime | None
    accepted: bool
    supplier_status: str | None
    application_state: str | None
    admitted: bool
    """By the inviting group."""


def state_of(progress: Progress, *, at: datetime) -> InvitationState:
    """Where it stands. Who is qualified stays so in the funnel, whatever it applies for next."""
    if progress.accepted:
        if progress.supplier_status == "QUALIFIED":
            return InvitationState.ADMITTED if progress.admitted else InvitationState.QUALIFIED
        return _OF_APPLICATION.get(progress.application_state or "", InvitationState.REGISTERED)
    if progress.revoked_at is not None:
        return InvitationState.REVOKED
    if progress.expires_at <= at:
        return InvitationState.EXPIRED
    return InvitationState.INVITED if progress.opened_at is None else InvitationState.OPENED


@dataclass(frozen=True, kw_only=True, slots=True)
class Invitee:
    """Whom an invitation is for."""

    name: str
    tax_id: str | None
    email: str | None
    categories: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RowProblem:
    """What is wrong with one cell of a file; rows count from 1, the header being row 1."""

    row: int
    column: str
    code: str
    text: str


def normalised_tax_id(text: str) -> str:
    """One spelling: full-width to ASCII, capitals, no spaces or hyphens."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(each for each in folded if each not in "-./" and not each.isspace())


def tax_id_fault(value: str) -> tuple[str, str] | None:
    """What is wrong with a 统一社会信用代码 (GB 32100): a code and the sentence."""
    if len(value) == _OLD_TAX_ID_LENGTH and value.isdigit():
        return "OldRegistrationNumber", "15 digits are an old registration number; give the 18 characters of the USCC."
    if len(value) != TAX_ID_LENGTH:
        return "Length", f"A USCC has {TAX_ID_LENGTH} characters; this one has {len(value)}."
    if any(each not in _USCC_ALPHABET for each in value):
        return "Alphabet", "A USCC has digits and capitals without I, O, S, V and Z."
    weighed = sum(_USCC_ALPHABET.index(each) * weight for each, weight in zip(value[:-1], _USCC_WEIGHTS, strict=True))
    if _USCC_ALPHABET[-weighed % 31] != value[-1]:
        return "CheckDigit", f"The check digit does not agree with the rest of {value}; look for a typing error."
    return None


def email_fault(value: str) -> tuple[str, str] | None:
    """What is wrong with an e-mail address."""
    return None if _EMAIL.fullmatch(value) else ("Email", f"{value!r} is no e-mail address.")


def invitee_of(cells: Mapping[str, str], *, row: int) -> Invitee | list[RowProblem]:
    """A row as an invitation, or everything that is wrong with it."""
    problems = []
    name = " ".join(unicodedata.normalize("NFKC", cells.get("name", "")).split())
    if not 1 <= len(name) <= 200:
        problems.append(RowProblem(row=row, column="name", code="Required", text="Give the company's name."))
    tax_id = normalised_tax_id(cells.get("tax_id", "")) or None
    if tax_id is not None and (fault := tax_id_fault(tax_id)):
        problems.append(RowProblem(row=row, column="tax_id", code=fault[0], text=fault[1]))
    email = unicodedata.normalize("NFKC", cells.get("email", "")).strip().lower() or None
    if email is not None and (fault := email_fault(email)):
        problems.append(RowProblem(row=row, column="email", code=fault[0], text=fault[1]))
    categories = tuple(sorted({each for each in re.split(r"[;,、;\s]+", cells.get("categories", "")) if each}))
    wrong = [each for each in categories if not _CATEGORY.fullmatch(each)]
    if wrong or len(categories) > CATEGORIES_AT_MOST:
        text = f"{wrong[0]!r} is no category." if wrong else f"At most {CATEGORIES_AT_MOST} categories."
        problems.append(RowProblem(row=row, column="categories", code="Category", text=text))
    return problems or Invitee(name=name, tax_id=tax_id, email=email, categories=categories)
