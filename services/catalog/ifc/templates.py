"""The templates that come with the `ifcopenshell` wheel: read where it is installed, copied nowhere.

IFC's documentation is CC BY-ND 4.0, so nothing of it stands in this project; and the wheel takes 211 MB, so it is an
extra (`bim`) and imported only when somebody asks.
"""

import importlib
import importlib.util
from collections.abc import Sequence
from threading import Lock
from typing import Any, Protocol

from services.catalog.ifc.rules import Edition, PropertySet, TemplateProperty

KEPT_AT_MOST = 500


class TemplatesNotInstalledError(RuntimeError):
    """The extra `bim` is not installed in this process's environment."""


class UnknownEntityError(LookupError):
    """The edition has no such entity."""


class TemplateSource(Protocol):
    """Where property sets are read: the wheel, or a table in a test."""

    def sets(self, *, edition: Edition, entity: str, predefined: str) -> Sequence[PropertySet]:
        """The sets that apply to an entity, by name.

        Raises:
            TemplatesNotInstalledError, UnknownEntityError.
        """
        ...

    def source(self) -> str:
        """What a reader is told of where they come from."""
        ...


class WheelTemplates:
    """The templates of the installed wheel. One thread reads at a time; answers are kept."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._editions: dict[Edition, Any] = {}
        self._kept: dict[tuple[Edition, str, str], Sequence[PropertySet]] = {}

    def sets(self, *, edition: Edition, entity: str, predefined: str) -> Sequence[PropertySet]:
        """See `TemplateSource`."""
        key = (edition, entity, predefined)
        with self._lock:
            if key not in self._kept:
                if len(self._kept) >= KEPT_AT_MOST:
                    self._kept.clear()
                self._kept[key] = self._read(edition, entity, predefined)
            return self._kept[key]

    def source(self) -> str:
        """See `TemplateSource`."""
        version = importlib.import_module("ifcopenshell").version
        return f"buildingSMART IFC documentation (CC BY-ND 4.0), as shipped in ifcopenshell {version}"

    def _read(self, edition: Edition, entity: str, predefined: str) -> Sequence[PropertySet]:
        if edition not in self._editions:
            if importlib.util.find_spec("ifcopenshell") is None:
                raise TemplatesNotInstalledError
            self._editions[edition] = importlib.import_module("ifcopenshell.util.pset").PsetQto(str(edition))
        try:
            found = self._editions[edition].get_applicable(entity, predefined, schema=str(edition))
        except RuntimeError as problem:
            raise UnknownEntityError(entity) from problem
        return sorted((_set(each) for each in found), key=lambda each: each.name)


def _set(template: Any) -> PropertySet:
    return PropertySet(
        name=template.Name,
        description=template.Description,
        applies_to=template.ApplicableEntity or "",
        properties=[_property(each) for each in template.HasPropertyTemplates or ()],
    )


def _property(template: Any) -> TemplateProperty:
    if not template.is_a("IfcSimplePropertyTemplate"):
        return TemplateProperty(
            name=template.Name,
            description=template.Description,
            kind=template.TemplateType,
            measure=None,
            properties=[_property(each) for each in template.HasPropertyTemplates or ()],
        )
    values = template.Enumerators.EnumerationValues if template.Enumerators else ()
    return TemplateProperty(
        name=template.Name,
        description=template.Description,
        kind=template.TemplateType,
        measure=template.PrimaryMeasureType,
        values=[str(each.wrappedValue) for each in values],
    )
