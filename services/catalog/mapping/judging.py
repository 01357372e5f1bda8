"""Judging one row of an enterprise's code list: what it may mean, how sure that is, and why. Pure.

Two passes, because evidence stands in the database: `read` says which variants a row may mean, `proposed` scores them
with what the market knows about those.
"""

import re
import unicodedata
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from services.catalog.components.naming import names_of
from services.catalog.components.rules import Fault, TypeDefinition, parsed_key, variant_key
from services.catalog.mapping.columns import is_blocked
from services.catalog.mapping.rules import (
    Parts,
    Relation,
    RowState,
    Signs,
    Stop,
    contradictions,
    price_agrees,
    row_state,
)
from services.catalog.mapping.standards import standards_in, without_standards
from services.catalog.search.lines import Line, Understanding
from services.catalog.search.reading import Reading
from services.catalog.units.rules import UnknownUnitError, factors_of, unit_named
from shared.quantity import Unit

CANDIDATES_AT_MOST = 4
_EVERYDAY, _EVERYDAY_OPEN = Decimal("0.88"), Decimal("0.80")
"""What an everyday name counts when the values say the rest, and when they leave the variant open (domain.md 3.4)."""
_PARTLY = Decimal(2) / 3
"""What a unit or the lack of contrary evidence counts while attributes are missing (domain.md 3.4: 0.10 of 0.15)."""
_CLOSE = Decimal("0.10")
_UNIT_IN_TEXT = re.compile(r"[(（\[]\s*(?:单位[:：]?)?\s*([^\s()（）\[\]]{1,5})\s*[)）\]]")


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeRow:
    """What a row states."""

    legacy_code: str
    name: str
    spec: str = ""
    unit: str = ""
    others: Mapping[str, str] = field(default_factory=dict)
    several: bool = False
    """Its code stands in the file with another specification too."""

    @property
    def text(self) -> str:
        return f"{self.name} {self.spec}".strip()

    @property
    def likeness(self) -> Hashable:
        """All that its judgement depends on, blanks and full-width letters aside: rows that share it are alike."""
        texts = (" ".join(unicodedata.normalize("NFKC", each).split()) for each in (self.name, self.spec, self.unit))
        return (*texts, tuple(sorted(self.others.items())), self.several)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadRow:
    """The ways to understand a row, the likeliest first."""

    row: CodeRow
    readings: Sequence[Reading]
    units: tuple[str, ...]
    """The units its unit may mean; none when it states none, or none that is known."""
    standards: Sequence[str]

    @property
    def keys(self) -> list[str]:
        """The variants that the row states completely."""
        return [key_of(reading) for reading in self.readings if not reading.missing]


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What the market and the register know about a row and its candidates."""

    medians: Mapping[str, Decimal] = field(default_factory=dict)
    """Median price per base unit of the offers the company may see, by variant key."""
    items: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The variants that suppliers offer under an item number."""
    withdrawn: frozenset[str] = frozenset()
    classes: Mapping[str, Collection[str]] = field(default_factory=dict)
    """The types that an IFC class finds, as rows write the class."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """What the machine makes of a row."""

    state: RowState
    relation: Relation | None
    score: Decimal
    type_code: str | None
    candidates: list[dict[str, Any]]
    asks_for: list[str]
    parts: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judged:
    reading: Reading
    parts: Parts
    reasons: list[dict[str, str]]
    doubts: list[str]


def key_of(reading: Reading) -> str:
    """The variant a complete reading names."""
    return variant_key(reading.definition.code, reading.known)


class Judge:
    """The vocabulary of all types and units, prepared once for many rows."""

    def __init__(self, definitions: Mapping[str, TypeDefinition], units: Mapping[str, Unit]) -> None:
        self._understanding = Understanding(definitions, {})
        self._units = units
        self._hints: dict[str, frozenset[str]] = {}

    def read(self, row: CodeRow) -> ReadRow:
        """See ReadRow."""
        text = without_standards(row.text)
        units = self._named(row.unit)
        if not row.unit:
            for found in _UNIT_IN_TEXT.finditer(text):
                if units := self._named(found[1]):
                    text = text[: found.start()] + " " + text[found.end() :]
                    break
        understood = self._understanding.of(
            Line(code=None, text=text, properties={}, name=row.name if row.spec else "")
        )
        stated = f"{row.text} {row.others.get('standard', '')}"
        return ReadRow(row=row, readings=understood.readings, units=units, standards=standards_in(stated))

    def _named(self, unit: str) -> tuple[str, ...]:
        """The units a word may mean; none when it is not known."""
        try:
            return unit_named(unit, units=self._units) if unit else ()
        except UnknownUnitError:
            return ()

    def proposed(self, read: ReadRow, evidence: Evidence) -> Proposal:
        """See Proposal."""
        judged = [self._judged(reading, read, evidence) for reading in read.readings]
        judged.sort(key=lambda each: (-each.parts.score, -each.reading.name, -len(each.reading.known)))
        if not judged:
            return Proposal(
                state=RowState.SPLIT_REQUESTED if read.row.several else RowState.UNMATCHED,
                relation=None,
                score=Decimal("0.00"),
                type_code=None,
                candidates=[],
                asks_for=[],
                parts=[],
            )
        best = judged[0]
        doubts = [*best.doubts, *_rivals(judged)]
        complete = not best.reading.missing
        signs = Signs(complete=complete, doubts=doubts, many_things=read.row.several or bool(best.reading.listed))
        state = row_state(best.parts.score, signs)
        relation = _relation(read.row, complete=complete)
        accepted = state is RowState.AUTO_ACCEPTED
        told = [*best.reasons, *({"code": code, "detail": _DOUBTS[code]} for code in doubts)]
        if read.row.several:
            told.append({"code": "OneCodeManyThings", "detail": "The file gives this code another specification too."})
        candidates = [_candidate(each, reasons=told if each is best else each.reasons) for each in judged]
        candidates += _of_item(best, read.row, evidence)
        return Proposal(
            state=state,
            relation=relation,
            score=best.parts.score,
            type_code=best.reading.definition.code,
            candidates=candidates[:CANDIDATES_AT_MOST],
            asks_for=[each.key for each in best.reading.missing],
            parts=[{"variant_key": key_of(best.reading), "relation": relation, "condition": "", "quantity": "1"}]
            if accepted
            else [],
        )

    def _judged(self, reading: Reading, read: ReadRow, evidence: Evidence) -> _Judged:
        complete = not reading.missing
        unit, factor = self._unit(reading, read)
        supports, stops = _supports(reading, read.row, evidence, factor=factor), []
        if unit is None:
            stops.append(Stop.UNIT_NOT_CONVERTIBLE)
        if evidence.withdrawn.intersection(read.standards):
            stops.append(Stop.WITHDRAWN_STANDARD)
        parts = Parts(
            attributes=reading.attributes,
            name=_name(reading, complete=complete),
            unit=unit or Decimal(0),
            evidence=supports.share,
            stops=stops,
        )
        doubts = [
            code
            for code, holds in (
                ("NotUnderstood", reading.unread),
                ("TwoValues", reading.contested),
                ("UnitNotKnown", unit == 0),
            )
            if holds
        ]
        reasons = [
            {"code": "Read", "property": key, "detail": f"{_title(reading, key)} {value}"}
            for key, value in reading.known.items()
        ]
        reasons += [
            {"code": "Missing", "property": each.key, "detail": f"{each.name_zh} ({each.name_en}) is not said."}
            for each in reading.missing
        ]
        reasons += supports.reasons
        reasons += [{"code": stop.value, "detail": _STOPS[stop]} for stop in stops]
        reasons += [{"code": "Unread", "detail": " ".join(reading.unread)}] if reading.unread else []
        if is_blocked(read.row.others.get("status", "")):
            reasons.append({"code": "BlockedByOwner", "detail": "The enterprise itself no longer uses this code."})
        return _Judged(reading=reading, parts=parts, reasons=reasons, doubts=[*doubts, *supports.doubts])

    def _unit(self, reading: Reading, read: ReadRow) -> tuple[Decimal | None, Decimal | None]:
        """What the unit counts, and how many base units it holds.

        1 when it converts, two thirds when it would once more is known, 0 when it is not known; None: it never does.
        """
        if not read.units:
            return Decimal(0), None
        definition = reading.definition
        factors = factors_of(
            base=definition.base_unit,
            alternatives=definition.alternatives,
            measures=definition.measures(reading.known),
            tables=definition.tables,
        )
        for unit in read.units:
            if unit in factors.base_per_unit:
                return Decimal(1), factors.base_per_unit[unit]
        base = self._units[definition.base_unit].dimension
        if any(unit in factors.not_convertible or self._units[unit].dimension == base for unit in read.units):
            return _PARTLY, None
        return None, None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Supports:
    share: Decimal
    reasons: list[dict[str, str]]
    doubts: list[str]


def _supports(reading: Reading, row: CodeRow, evidence: Evidence, *, factor: Decimal | None) -> _Supports:
    """What else speaks for a candidate: the same supplier item, a price near the median, the class in a model.

    A row that brings none is neither helped nor hurt: its attributes are the evidence, as far as they are complete.
    """
    complete = not reading.missing
    key = key_of(reading) if complete else ""
    seen: list[bool] = []
    reasons, doubts = [], []
    offered = evidence.items.get(row.others.get("supplier_item", ""), ())
    if offered and complete:
        agrees = key in offered
        seen.append(agrees)
        code = "SameSupplierItem" if agrees else "OtherSupplierItem"
        reasons.append({"code": code, "detail": f"Under this item number suppliers offer {', '.join(offered[:3])}."})
        doubts += [] if agrees else [code]
    of_class = evidence.classes.get(row.others.get("ifc", ""))
    if of_class:
        agrees = reading.definition.code in of_class
        seen.append(agrees)
        code = "SameIfcClass" if agrees else "OtherIfcClass"
        reasons.append(
            {"code": code, "detail": f"{row.others['ifc']} is the class of {', '.join(sorted(of_class)[:5])}."}
        )
        doubts += [] if agrees else [code]
    median, price = evidence.medians.get(key), row.others.get("price")
    if median is not None and price is not None and factor is not None:
        agrees = price_agrees(Decimal(price) / factor, median)
        seen.append(agrees)
        code = "PriceNearMedian" if agrees else "PriceFarFromMedian"
        reasons.append({"code": code, "detail": "The price was compared with the median of the offers you see."})
        doubts += [] if agrees else [code]
    if seen:
        return _Supports(share=Decimal(sum(seen)) / len(seen), reasons=reasons, doubts=doubts)
    return _Supports(share=Decimal(1) if complete else _PARTLY, reasons=reasons, doubts=doubts)


def _name(reading: Reading, *, complete: bool) -> Decimal:
    if reading.name < 1 or reading.formal:
        return reading.name
    return _EVERYDAY if complete else _EVERYDAY_OPEN


def _rivals(judged: Sequence[_Judged]) -> list[str]:
    """Whether another type fits nearly as well; then a person decides."""
    best = judged[0]
    close = [each for each in judged[1:] if best.parts.score - each.parts.score < _CLOSE]
    return ["AnotherType"] if close else []


def _relation(row: CodeRow, *, complete: bool) -> Relation:
    if not complete:
        return Relation.BROADER
    return Relation.NARROWER if row.others.get("brand") else Relation.EXACT


def _candidate(judged: _Judged, *, reasons: list[dict[str, str]]) -> dict[str, Any]:
    reading = judged.reading
    complete = not reading.missing
    return {
        "variant_key": key_of(reading) if complete else None,
        "type_code": reading.definition.code,
        "known": dict(reading.known),
        "name_zh": names_of(reading.definition, reading.known)[0],
        "score": str(judged.parts.score),
        "reasons": reasons,
    }


def _of_item(best: _Judged, row: CodeRow, evidence: Evidence) -> list[dict[str, Any]]:
    """The variants that suppliers offer under the row's item number, beside the one that was read."""
    found = []
    for key in evidence.items.get(row.others.get("supplier_item", ""), ()):
        parsed = parsed_key(key)
        definition = best.reading.definition
        if isinstance(parsed, Fault) or parsed[0] != definition.code or key == key_of(best.reading):
            continue
        against = contradictions(best.reading.known, parsed[1])
        parts = replace(
            best.parts,
            evidence=Decimal(1),
            stops=[*best.parts.stops, *([Stop.CONTRADICTING_ATTRIBUTE] if against else [])],
        )
        reasons = [{"code": "SameSupplierItem", "detail": "Suppliers offer it under this item number."}]
        reasons += [
            {
                "code": Stop.CONTRADICTING_ATTRIBUTE.value,
                "property": each,
                "detail": f"The row says {best.reading.known[each]}, the variant is {parsed[1][each]}.",
            }
            for each in against
        ]
        found.append(
            {
                "variant_key": key,
                "type_code": definition.code,
                "known": parsed[1],
                "name_zh": names_of(definition, parsed[1])[0],
                "score": str(parts.score),
                "reasons": reasons,
            }
        )
    return found


def _title(reading: Reading, key: str) -> str:
    return next(each.name_zh for each in reading.definition.identity if each.key == key)


def stopped(read: Reading, of_variant: Mapping[str, str]) -> Stop | None:
    """Whether a variant contradicts what was read."""
    return Stop.CONTRADICTING_ATTRIBUTE if contradictions(read.known, of_variant) else None


_DOUBTS = {
    "NotUnderstood": "Something in the row that looks like a value was not understood.",
    "TwoValues": "The row gives an identity attribute two values.",
    "UnitNotKnown": "The row states no unit, or one that is not known.",
    "OtherSupplierItem": "The supplier item is offered as another variant.",
    "OtherIfcClass": "The row's IFC class is one of other component types.",
    "PriceFarFromMedian": "The price is more than 30 % away from the median.",
    "AnotherType": "Another component type fits nearly as well.",
}
_STOPS = {
    Stop.CONTRADICTING_ATTRIBUTE: "The row says another value than the variant has.",
    Stop.UNIT_NOT_CONVERTIBLE: "The row's unit cannot be converted to the variant's base unit.",
    Stop.WITHDRAWN_STANDARD: "The row names an edition of a standard that was withdrawn.",
}
