"""Designations of standards: one key per edition, and number and year apart. Pure."""

import re
import unicodedata

_DASHES = re.compile(r"[\u2010-\u2015\u2212]")
_YEAR = re.compile(r"^(?P<number>.+?)\s*-\s*(?P<edition>(?:19|20)[0-9]{2}(?:[A-Z][0-9]?)?)$")


def folded(designation: str) -> str:
    """Full-width signs and the many dashes as plain ones, one blank for many."""
    return _DASHES.sub("-", " ".join(unicodedata.normalize("NFKC", designation).split()))


def edition_key(designation: str) -> str:
    """One key per edition, however people write it: `ＧＢ／Ｔ 706—2016` and `gb/t706-2016` are the same."""
    return "".join(folded(designation).split()).upper()


def parted(designation: str) -> tuple[str, str]:
    """Number and edition; what has no year at its end has no edition."""
    plain = folded(designation)
    found = _YEAR.match(plain)
    return (found["number"], found["edition"]) if found else (plain, "")
