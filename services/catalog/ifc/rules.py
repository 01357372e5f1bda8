"""Property sets of IFC as we tell them, whoever reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Edition(StrEnum):
    """Editions of IFC whose property sets are asked for."""

    IFC4 = "IFC4"
    IFC4X3 = "IFC4X3"


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplateProperty:
    """A property, or (`kind` Q_…) a quantity, of a set."""

    name: str
    description: str | None
    kind: str | None
    """P_SINGLEVALUE, P_ENUMERATEDVALUE, P_BOUNDEDVALUE, … or Q_LENGTH, Q_AREA, …"""
    measure: str | None
    """The measure of its values: IfcLabel, IfcPositiveLengthMeasure, …"""
    values: Sequence[str] = ()
    """What an enumerated one allows."""
    properties: Sequence["TemplateProperty"] = ()
    """Of a complex one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PropertySet:
    """A set that applies to a class."""

    name: str
    description: str | None
    applies_to: str
    """As the template writes it: `IfcSlab,IfcSlabType`."""
    properties: Sequence[TemplateProperty]


def parted(code: str) -> tuple[str, str]:
    """`IfcSlab.FLOOR` as entity and predefined type; the latter may be empty."""
    entity, _, predefined = code.partition(".")
    return entity, "" if predefined in {"NOTDEFINED", "USERDEFINED"} else predefined
