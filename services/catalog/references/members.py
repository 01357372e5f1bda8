"""The members of one object of a bSDD file, read forgivingly, with a remark on whatever was not as it should be."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from services.catalog.uploads.rules import RowProblem, Severity

_DIMENSIONS = (
    "DimensionLength",
    "DimensionMass",
    "DimensionTime",
    "DimensionElectricCurrent",
    "DimensionThermodynamicTemperature",
    "DimensionAmountOfSubstance",
    "DimensionLuminousIntensity",
)
_MAGNITUDE = 60
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Members:
    """An object and where it stands."""

    def __init__(self, given: Mapping[str, Any], *, at: str, problems: list[RowProblem]) -> None:
        self._given = given
        self._at = at
        self._problems = problems

    def warn(self, member: str, code: str, message: str) -> None:
        """Something was not as it should be; the entry is taken."""
        self._tell(Severity.WARNING, member, code, message)

    def reject(self, member: str, code: str, message: str) -> None:
        """The entry is left out."""
        self._tell(Severity.REJECTED, member, code, message)

    def _tell(self, severity: Severity, member: str, code: str, message: str) -> None:
        self._problems.append(RowProblem(severity=severity, row=self._at, field=member, code=code, message=message))

    def text(self, member: str, *, most: int | None) -> str | None:
        """A text without blanks around it; an empty one is none, a number is its digits, a longer one is cut."""
        return self._text(member, self._given.get(member), most)

    def _text(self, member: str, value: Any, most: int | None) -> str | None:
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            self.warn(member, "NotAText", f"{type(value).__name__} stands where a text should; left out.")
            return None
        clean = value.replace("\x00", "").replace("\ufeff", "").strip()
        if clean != value and clean:
            self.warn(member, "TextTrimmed", f"{value[:60]!r} is taken as {clean[:60]!r}.")
        if most is not None and len(clean) > most:
            self.warn(member, "TextCut", f"It has {len(clean)} characters; {most} are kept.")
            clean = clean[:most]
        return clean or None

    def texts(self, member: str, *, most: int) -> list[str]:
        """A list of texts without empty ones and without repetitions; a single text is a list of one."""
        value = self._given.get(member)
        entries = value if isinstance(value, list) else [value]
        found = [text for each in entries if (text := self._text(member, each, most)) is not None]
        return list(dict.fromkeys(found))

    def one_of(self, member: str, names: Sequence[str], *, otherwise: str | None) -> Any:
        """One of the published names, whatever its case; another is told and taken as `otherwise`."""
        stated = self.text(member, most=None)
        if stated is None:
            return otherwise
        for name in names:
            if stated.lower() == name.lower():
                return name
        self.warn(member, "UnknownName", f"{stated[:60]!r} is none of {', '.join(names)}; taken as {otherwise}.")
        return otherwise

    def truth(self, member: str) -> bool | None:
        """True, false, or nothing said."""
        value = self._given.get(member)
        if value is None or isinstance(value, bool):
            return value
        known = _TRUTHS.get(str(value).strip().lower())
        if known is None and str(value).strip():
            self.warn(member, "NotATruth", f"{str(value)[:60]!r} is neither true nor false; left out.")
        return known

    def _number(self, member: str) -> Decimal | None:
        value = self._given.get(member)
        if value is None or value == "":
            return None
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation:
            number = Decimal("NaN")
        # A short text may name a number of a thousand million digits; what is written out must stay short.
        if isinstance(value, bool) or not number.is_finite() or abs(number.adjusted()) > _MAGNITUDE:
            self.warn(member, "NotANumber", f"{str(value)[:60]!r} is no number; left out.")
            return None
        return number

    def share(self, member: str) -> str | None:
        """A number between 0 and 1."""
        number = self._number(member)
        if number is not None and not 0 <= number <= 1:
            self.warn(member, "NotAShare", f"{number} is not between 0 and 1; left out.")
            return None
        return None if number is None else str(number)

    def interval(self) -> tuple[str | None, str | None]:
        """The least and the greatest value as `>=0` or `>0`, `<=9` or `<9`; none when they exclude each other."""
        low = self._end("MinInclusive", "MinExclusive", ">")
        high = self._end("MaxInclusive", "MaxExclusive", "<")
        if low and high and Decimal(low.lstrip(">=")) > Decimal(high.lstrip("<=")):
            self.warn("MinInclusive", "RangeReversed", f"Nothing is {low} and {high}; both are left out.")
            return None, None
        return low, high

    def _end(self, inclusive: str, exclusive: str, sign: str) -> str | None:
        closed, opened = self._number(inclusive), self._number(exclusive)
        if closed is not None and opened is not None:
            self.warn(exclusive, "TwoLimits", f"{inclusive} is stated, too; that is kept.")
        if closed is not None:
            return f"{sign}={closed:f}"
        return None if opened is None else f"{sign}{opened:f}"

    def dimension(self) -> str | None:
        """The seven exponents, where they are stated one by one."""
        stated = [self._number(member) for member in _DIMENSIONS]
        if all(each is None for each in stated):
            return None
        return " ".join(f"{each or 0:f}" for each in stated)

    def objects(self, member: str) -> Iterator["Members"]:
        """The objects of a list, each with its place."""
        value = self._given.get(member)
        if value in (None, ""):
            return
        if not isinstance(value, list):
            self.warn(member, "NotAList", f"{type(value).__name__} stands where a list should; left out.")
            return
        for place, each in enumerate(value):
            if isinstance(each, dict):
                yield Members(each, at=f"{self._at}.{member}.{place}", problems=self._problems)
            elif each not in (None, ""):
                self.warn(member, "NotAnObject", f"Entry {place} is no object; left out.")

    def allowed_values(self) -> list[dict[str, Any]]:
        """Allowed values by code; one without a value, or a code that stands before, is left out and told."""
        found: dict[str, dict[str, Any]] = {}
        for place, each in enumerate(self.objects("AllowedValues")):
            value = each.text("Value", most=500)
            code = each.text("Code", most=100) or value
            if code is None:
                each.reject("Value", "ValueMissing", "An allowed value has a value or a code.")
            elif code.lower() in found:
                each.reject("Code", "DuplicateValue", f"{code!r} stands before; case makes no other code.")
            else:
                found[code.lower()] = {
                    "code": code,
                    "value": value or code,
                    "description": each.text("Description", most=2000),
                    "sort": place,
                }
        return list(found.values())
