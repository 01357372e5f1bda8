"""Numbers that Chinese companies are known by: the USCC with its check digit, and what stood before it. Pure."""

import unicodedata

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100: digits and capitals without I, O, S, V, Z, which look like digits."""
USCC_LENGTH = 18
REGISTRATION_LENGTH = 15
"""工商注册号, which the USCC replaced in 2015; old ledgers still know companies by it."""
_REGION = slice(2, 8)


def normalised(number: str) -> str:
    """One spelling: full-width to ASCII, capitals, no blanks, hyphens, dots or invisible marks."""
    folded = unicodedata.normalize("NFKC", number).upper()
    return "".join(
        character
        for character in folded
        if character not in "-./" and not character.isspace() and unicodedata.category(character) != "Cf"
    )


def is_registration_number(number: str) -> bool:
    """Whether a normalised number is an old registration number of 15 digits."""
    return len(number) == REGISTRATION_LENGTH and number.isascii() and number.isdigit()


def uscc_fault(number: str) -> str | None:
    """Why a normalised number is no USCC: Length, Alphabet, RegionCode, CheckDigit; None when it is one."""
    if len(number) != USCC_LENGTH:
        return "Length"
    if any(character not in USCC_ALPHABET for character in number):
        return "Alphabet"
    if not number[_REGION].isdigit():
        return "RegionCode"
    return None if check_digit(number[:-1]) == number[-1] else "CheckDigit"


def check_digit(first: str) -> str:
    """The eighteenth character: 31 - the sum of values times 3^(i-1), modulo 31 (GB 32100, domain.md 3.3)."""
    total = sum(USCC_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(first))
    return USCC_ALPHABET[-total % 31]


def province_of(uscc: str) -> str:
    """The first two digits of a USCC's region code, GB/T 2260."""
    return uscc[2:4]
