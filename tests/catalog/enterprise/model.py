"""One row of an enterprise's material list, and what it truly names."""

from dataclasses import dataclass
from enum import StrEnum


class TruthKind(StrEnum):
    """What a careful person would answer for a row."""

    EXACT = "exact"
    """Names one variant, every required identity value is written."""
    BROADER = "broader"
    """Of a known type, but required identity values are not written."""
    UNMATCHED = "unmatched"
    """Other goods, or a value the taxonomy does not hold."""
    CONTRADICTION = "contradiction"
    """Says two things about one identity property."""
    UNIT = "unit"
    """Names one variant, counted in a unit of a dimension the type has no conversion to."""
    SPLIT = "split"
    """One code for several variants."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Truth:
    """The answer."""

    kind: TruthKind
    type_code: str | None = None
    """None when the goods are of no type of the taxonomy."""
    keys: tuple[str, ...] = ()
    """Canonical variant keys: one for exact and unit, several for split, none otherwise."""
    missing: tuple[str, ...] = ()
    """For broader: the required identity properties that are not written, sorted."""
    because: str = ""
    """One line for whoever reads a report of misses."""

    @property
    def key(self) -> str | None:
        """The variant of an exact or unit row."""
        return self.keys[0] if len(self.keys) == 1 else None


@dataclass(frozen=True, kw_only=True, slots=True)
class EnterpriseRow:
    """A row as exported, and beside it what the exporter does not know."""

    legacy_code: str
    name: str
    spec: str
    unit: str
    category: str
    brand: str
    status: str
    house: str
    """Which invented enterprise it is from; codes are unique per house except where one code means two things."""
    truth: Truth
    noise: tuple[str, ...] = ()
    """Sorted tags of what makes it hard: typo, full_width, remark, old_standard, unit_in_name, ..."""
