"""The states of an application (domain.md 5.3), and what an identity must hold."""

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum

from services.suppliers.offers.rules import serves

REVERIFY_MONTHS = 6
"""Merchants' identities are verified anew every half year (domain.md 3.5)."""
TAIL = 4
"""How many last characters of a number are kept in the clear; less where the number is short."""


class ApplicationState(StrEnum):
    """Where an application stands. A supplier's standing (`SupplierStatus`) is its own: one who is qualified sells on
    while it applies for more."""

    REGISTERED = "REGISTERED"
    """Asked for; the identity is not verified."""
    IDENTITY_VERIFIED = "IDENTITY_VERIFIED"
    DOCUMENTS_SUBMITTED = "DOCUMENTS_SUBMITTED"
    UNDER_REVIEW = "UNDER_REVIEW"
    RETURNED = "RETURNED"
    QUALIFIED = "QUALIFIED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


class IdentityState(StrEnum):
    """Whether somebody of another company has verified what the supplier says of itself."""

    GIVEN = "GIVEN"
    VERIFIED = "VERIFIED"
    REFUSED = "REFUSED"


class DocumentKind(StrEnum):
    """What a legal representative is identified by."""

    RESIDENT_ID = "resident_id"
    PASSPORT = "passport"
    OTHER = "other"


_S = ApplicationState
TRANSITIONS = frozenset(
    {
        (_S.REGISTERED, _S.IDENTITY_VERIFIED),
        (_S.IDENTITY_VERIFIED, _S.DOCUMENTS_SUBMITTED),
        (_S.DOCUMENTS_SUBMITTED, _S.UNDER_REVIEW),
        (_S.UNDER_REVIEW, _S.RETURNED),
        (_S.RETURNED, _S.DOCUMENTS_SUBMITTED),
        (_S.UNDER_REVIEW, _S.QUALIFIED),
        (_S.UNDER_REVIEW, _S.REJECTED),
        *((state, _S.WITHDRAWN) for state in (_S.REGISTERED, _S.IDENTITY_VERIFIED, _S.DOCUMENTS_SUBMITTED)),
        (_S.UNDER_REVIEW, _S.WITHDRAWN),
        (_S.RETURNED, _S.WITHDRAWN),
    }
)
FINAL = frozenset({_S.QUALIFIED, _S.REJECTED, _S.WITHDRAWN})

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_ACCOUNT = re.compile(r"[0-9A-Z]{6,34}")
_DOCUMENT = re.compile(r"[0-9A-Z]{5,30}")


def may_become(before: ApplicationState, after: ApplicationState) -> bool:
    """Whether an application may go from one state to another."""
    return (before, after) in TRANSITIONS


def plain_number(text: str) -> str:
    """A number of an account or document in one spelling."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(each for each in folded if each != "-" and not each.isspace())


def document_fault(kind: DocumentKind, number: str) -> str | None:
    """What is wrong with a representative's number, in one spelling; it does not repeat the number."""
    if kind is not DocumentKind.RESIDENT_ID:
        return None if _DOCUMENT.fullmatch(number) else "A document's number has 5 to 30 letters and digits."
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        return "A resident identity number has 18 characters: 17 digits and a digit or X (GB 11643)."
    weighed = sum(int(digit) * weight for digit, weight in zip(number[:-1], _ID_WEIGHTS, strict=True))
    if _ID_CHECKS[weighed % 11] != number[-1]:
        return "The check digit does not agree with the rest of the identity number; look for a typing error."
    return None


def account_fault(number: str) -> str | None:
    """What is wrong with an account number, in one spelling; it does not repeat the number."""
    return None if _ACCOUNT.fullmatch(number) else "An account number has 6 to 34 letters and digits."


def tail_of(number: str) -> str:
    """The last characters that may be shown: at most four, and never more than a third of the number."""
    return number[-min(TAIL, len(number) // 3) :]


def regions_within(asked: Sequence[str], granted: Sequence[str]) -> bool:
    """Whether what is granted lies in what was asked for; none asked for means everywhere, and so does none granted."""
    if not asked:
        return True
    return bool(granted) and all(serves(regions=asked, region=region) for region in granted)
