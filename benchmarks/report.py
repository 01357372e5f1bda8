"""Medians, percentiles and the tables of RESULTS.md; no input or output of its own."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all values do not exceed (nearest rank).

    Raises:
        ValueError: there are no values, or `share` is outside 0 to 1.
    """
    if not values:
        raise ValueError("There is no percentile of nothing.")
    if not 0 <= share <= 1:
        raise ValueError(f"A share lies between 0 and 1, not {share}.")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Several runs of one measurement: the middle one counts, the outer ones show the noise."""

    low: float
    middle: float
    high: float
    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Raises ValueError when there are none."""
        if not values:
            raise ValueError("There is no median of nothing.")
        return cls(low=min(values), middle=median(values), high=max(values), runs=len(values))

    def text(self, digits: int = 0) -> str:
        """`middle (low-high)`."""
        return f"{number(self.middle, digits)} ({number(self.low, digits)}-{number(self.high, digits)})"


def number(value: float, digits: int = 0) -> str:
    """With thousands apart, as people read it."""
    return f"{value:,.{digits}f}"


def verdict(value: float, *, aim: float) -> str:
    """Whether a ratio reaches its aim, as a word in a table."""
    return "reached" if value >= aim else "missed"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """A Markdown table; all but the first `left` columns stand to the right.

    Raises:
        ValueError: a row has another number of cells than there are columns.
    """
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"{len(columns)} columns, but a row of {len(row)}: {row}")
    rule = ["---" if place < left else "---:" for place in range(len(columns))]
    lines = [columns, rule, *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(facts: Mapping[str, str]) -> str:
    """Facts as a list, in their order."""
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


@dataclass(frozen=True, kw_only=True)
class Section:
    """One benchmark's part of the page."""

    title: str
    parts: Sequence[str]
    failures: Sequence[str] = ()
    """What was not exact afterwards; a benchmark with failures proves nothing."""

    def markdown(self) -> str:
        """Heading, what went wrong if anything, then the parts."""
        wrong = [f"**Not exact:** {failure}" for failure in self.failures]
        return "\n\n".join([f"## {self.title}", *wrong, *self.parts])


def page(*, title: str, intro: str, sections: Sequence[Section]) -> str:
    """The whole of RESULTS.md."""
    return "\n\n".join([f"# {title}", intro, *(section.markdown() for section in sections)]) + "\n"
