"""Who may hold which role, what a password must be, and how many wrong ones are too many."""

import ipaddress
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

EMAIL_LENGTH_MAX = 254
PASSWORD_LENGTH_MIN = 10
PASSWORD_LENGTH_MAX = 200
_DISTINCT_MIN = 5
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f.]+(\.[^@\s\x00-\x1f\x7f.]+)+")
_IPV6_SITE_BITS = 64

BUYING = frozenset({"requester", "buyer", "approver", "finance"})
SELLING = frozenset({"supplier_sales", "supplier_finance"})
ROLES_OF_KIND: dict[str, frozenset[str]] = {
    "contractor_group": BUYING,
    "contractor": BUYING,
    "supplier": SELLING,
    "operator": frozenset({"operator"}),
}
"""What each kind of company gives its people; `admin` goes with every kind."""


class PersonStatus(StrEnum):
    """Whether the person may sign in at all, for any company."""

    ACTIVE = "ACTIVE"
    DEACTIVATED = "DEACTIVATED"


class MembershipStatus(StrEnum):
    """INVITED until the person accepts; a membership ends by its `valid_until`."""

    INVITED = "INVITED"
    ACTIVE = "ACTIVE"


def allowed_roles(kinds: Collection[str]) -> frozenset[str]:
    """The roles a company of these kinds may give."""
    return frozenset({"admin"}).union(*(ROLES_OF_KIND.get(kind, frozenset()) for kind in kinds))


def stands(*, status: str, valid_from: datetime, valid_until: datetime | None, at: datetime) -> bool:
    """Whether a membership gives its roles at `at`; its period is half-open."""
    begun = valid_from <= at
    over = valid_until is not None and valid_until <= at
    return status == MembershipStatus.ACTIVE and begun and not over


def normalise_email(email: str) -> str:
    """One spelling per address: full-width to ASCII, lower case, no surrounding space."""
    return unicodedata.normalize("NFKC", email).strip().lower()


def email_fault(email: str) -> str | None:
    """What is wrong with a normalised address, as a sentence."""
    if len(email) > EMAIL_LENGTH_MAX or not _EMAIL.fullmatch(email):
        return "Give an e-mail address like name@company.example."
    return None


def normalise_password(password: str) -> str:
    """The same password from every keyboard: half- and full-width characters count as one (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)


def password_fault(password: str, *, email: str) -> str | None:
    """What is wrong with a new password, as a sentence; length counts, mixtures of character classes do not."""
    chosen = normalise_password(password)
    if not PASSWORD_LENGTH_MIN <= len(chosen) <= PASSWORD_LENGTH_MAX:
        return f"A password has {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters."
    if len(set(chosen)) < _DISTINCT_MIN:
        return f"A password has at least {_DISTINCT_MIN} different characters."
    if chosen.lower() in {email, email.partition("@")[0]}:
        return "A password is not the e-mail address."
    return None


@dataclass(frozen=True, kw_only=True)
class AttemptLimit:
    """At most `most` wrong answers in a `window` that begins with the first."""

    most: int
    window: timedelta


def retry_after_seconds(*, window_start: datetime, limit: AttemptLimit, at: datetime) -> int:
    """Whole seconds until the window is over, at least one."""
    left = (window_start + limit.window - at).total_seconds()
    return max(1, int(left) + (left % 1 > 0))


def client_network(*, peer: str, forwarded: str, proxies: int) -> str:
    """The network an attempt comes from, for counting.

    Of `X-Forwarded-For` only the last `proxies` entries were written by our own proxies; what stands before
    them is the client's word and not believed. An IPv6 site counts as one: its /64.
    """
    addresses = [part.strip() for part in forwarded.split(",") if part.strip()]
    source = addresses[-proxies] if 0 < proxies <= len(addresses) else peer
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _IPV6_SITE_BITS), strict=False))
    return str(address)
