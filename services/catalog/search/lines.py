"""Understanding one line of a material list from its code, words and properties together. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from services.catalog.components.rules import (
    Fault,
    FaultCode,
    TypeDefinition,
    identity_of,
    parsed_key,
)
from services.catalog.search.reading import TYPES_AT_MOST, Reading, Vocabulary
from services.catalog.search.values import read_values

_OF_THE_OFFER = FaultCode.NOT_AN_IDENTITY_PROPERTY


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """What a line says, whichever way it says it."""

    code: str | None
    text: str
    properties: Mapping[str, object]
    name: str = ""
    """The part of the text that calls the thing, where a list has a column for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Understood:
    """The ways to understand a line, the likeliest first, and what was not understood."""

    readings: Sequence[Reading]
    faults: Sequence[Fault]


class Understanding:
    """All types and the types that foreign codes find, prepared once for a list."""

    def __init__(self, definitions: Mapping[str, TypeDefinition], found_by_code: Mapping[str, Sequence[str]]) -> None:
        self._definitions = definitions
        self._found_by_code = found_by_code
        self._vocabulary = _vocabulary(tuple(definitions.values()))

    def of(self, line: Line) -> Understood:
        """See Understood."""
        if line.code and "|" in line.code:
            return self._by_key(line)
        faults: list[Fault] = []
        readings: list[Reading] = []
        if line.code:
            readings = self._by_code(line)
            if not readings:
                detail = f"No component type has the code {line.code[:60]!r}; the words of the line were read instead."
                faults.append(Fault(code=FaultCode.UNKNOWN_TYPE, detail=detail, field="code"))
        if not readings:
            readings = self._vocabulary.readings(line.text, name=line.name) if line.text else []
        if not readings and line.properties:
            readings = self._by_properties(line)
        kept, against = self._with_properties(readings, line)
        return Understood(readings=kept[:TYPES_AT_MOST], faults=[*faults, *against])

    def _by_key(self, line: Line) -> Understood:
        parts = parsed_key(line.code or "")
        if isinstance(parts, Fault):
            return Understood(readings=[], faults=[replace(parts, field="code")])
        definition = self._definitions.get(parts[0])
        if definition is None:
            detail = f"No component type has the code {parts[0][:60]!r}."
            return Understood(readings=[], faults=[Fault(code=FaultCode.UNKNOWN_TYPE, detail=detail, field="code")])
        values, faults = identity_of(definition, parts[1], where="code")
        if faults:
            return Understood(readings=[], faults=faults)
        return Understood(readings=[Reading(definition=definition, known=values, name=Decimal(1))], faults=[])

    def _by_code(self, line: Line) -> list[Reading]:
        code = (line.code or "").upper()
        types = [code] if code in self._definitions else self._found_by_code.get(line.code or "", ())
        return [
            Reading(
                definition=self._definitions[each],
                known=read_values(self._definitions[each], line.text).known,
                name=Decimal(1),
            )
            for each in types
            if each in self._definitions
        ]

    def _by_properties(self, line: Line) -> list[Reading]:
        """Types that have every property named, for a line that names neither type nor thing."""
        return [
            Reading(definition=definition, known={}, name=Decimal(0))
            for definition in self._definitions.values()
            if all(definition.property_named(name) is not None for name in line.properties)
        ]

    def _with_properties(self, readings: Sequence[Reading], line: Line) -> tuple[list[Reading], list[Fault]]:
        """Explicit values go before those read from words. A reading they contradict falls away, unless all do."""
        if not line.properties:
            return sorted(readings, key=lambda each: (-each.name, -each.attributes)), []
        kept, told = [], []
        for reading in readings:
            values, faults = identity_of(reading.definition, line.properties, partial=True)
            hard = [fault for fault in faults if fault.code is not _OF_THE_OFFER]
            told.append(faults)
            if hard:
                continue
            read = {**read_values(reading.definition, line.text, given=values).known, **values}
            kept.append(replace(reading, known=dict(sorted(read.items()))))
        if kept:
            passed = [fault for faults in told[:1] for fault in faults if fault.code is _OF_THE_OFFER]
            return sorted(kept, key=lambda each: (-each.name, -each.attributes)), passed
        return [], [fault for faults in told[:1] for fault in faults]


_last: list[tuple[tuple[TypeDefinition, ...], Vocabulary]] = []


def _vocabulary(definitions: tuple[TypeDefinition, ...]) -> Vocabulary:
    """The vocabulary of these definitions. They are kept per content, so the same objects mean the same words."""
    for known, vocabulary in _last:
        if len(known) == len(definitions) and all(a is b for a, b in zip(known, definitions, strict=True)):
            return vocabulary
    made = Vocabulary(definitions)
    _last[:] = [(definitions, made)]
    return made
