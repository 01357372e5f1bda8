"""Cells of freight, certificates and EPDs, from text or JSON into the JSON they are stored as.

The many rows of a price list repeat few different cells, so what a cell came to is kept.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from pydantic import TypeAdapter, ValidationError

from services.suppliers.offers import declared
from services.suppliers.offers.schemas import Certificates, EpdBody, Freights

_NO_MORE = frozenset({"none", "无", "[]"})
"""A cell that takes away what is stored; an empty one leaves it."""

_WRITTEN = {
    "freight": "11=28.00;12=35.00",
    "certificates": "kind:number:issuer:2027-12-31;…",
    "epd": "number:programme:2310.5:2029-12-31",
}


class Cell(NamedTuple):
    """What a cell came to: JSON for the database, or what is against it."""

    json: str
    reason: tuple[str, str] | None = None


def _freight(text: str) -> list[dict[str, str]]:
    return [dict(zip(("region", "price"), _two(part, "="), strict=True)) for part in _parts(text)]


def _certificates(text: str) -> list[dict[str, str | None]]:
    found: list[dict[str, str | None]] = []
    for part in _parts(text):
        kind, rest = _two(part, ":")
        number, issuer = _two(rest, ":")
        head, colon, last = issuer.rpartition(":")
        dated = bool(colon) and (not last.strip() or last.strip()[:4].isdecimal())
        until = last.strip() if dated else None
        found.append(
            {"kind": kind, "number": number, "issuer": head if dated else issuer, "valid_until": until or None}
        )
    return found


def _epd(text: str) -> dict[str, str]:
    head, _, until = text.rpartition(":")
    head, _, kgco2e = head.rpartition(":")
    number, programme = _two(head, ":")
    return {"number": number, "programme": programme, "kgco2e": kgco2e.strip(), "valid_until": until.strip()}


def _parts(text: str) -> list[str]:
    return [part for part in text.replace("；", ";").split(";") if part.strip()]


def _two(part: str, mark: str) -> tuple[str, str]:
    first, found, second = part.replace("：", ":").partition(mark)
    if not found or not first.strip() or not second.strip():
        message = f"{part.strip()[:60]!r} has no two parts around {mark!r}"
        raise ValueError(message)
    return first.strip(), second.strip()


_FREIGHTS = TypeAdapter(Freights)
_CERTIFICATES = TypeAdapter(Certificates)
_EPD: TypeAdapter[EpdBody | None] = TypeAdapter(EpdBody | None)

_READ: Mapping[str, Callable[[str], Any]] = {"freight": _freight, "certificates": _certificates, "epd": _epd}


def _stored(column: str, value: Any) -> Any:
    if column == "freight":
        return declared.stored_freight(_FREIGHTS.validate_python([] if value is None else value)) or []
    if column == "certificates":
        return declared.stored_certificates(_CERTIFICATES.validate_python([] if value is None else value)) or []
    return declared.stored_epd(_EPD.validate_python(value))


def _cell(column: str, value: Any) -> Cell:
    try:
        return Cell(orjson.dumps(_stored(column, value)).decode())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = "".join(f" {part}" for part in first["loc"] if isinstance(part, str))
        detail = f"{column}{where}: {first['msg']}."
    except ValueError as error:
        detail = f"{column}: {error}."
    return Cell("", ("NotReadable", f"{detail[:300]} It is written as {_WRITTEN[column]}"))


@lru_cache(maxsize=4096)
def cell_of_text(column: str, text: str) -> Cell:
    """A cell of a table that is not empty."""
    if text.lower() in _NO_MORE:
        return _cell(column, None)
    try:
        value = _READ[column](text)
    except ValueError as error:
        return Cell("", ("NotReadable", f"{column}: {error}. It is written as {_WRITTEN[column]}"))
    return _cell(column, value)


def cell_of_json(column: str, value: Any) -> Cell:
    """A member of a JSON row that is not null: the text of a cell, or what the offers API takes."""
    if isinstance(value, str):
        return cell_of_text(column, value.strip()) if value.strip() else Cell("")
    if column == "freight" and isinstance(value, dict) and not value.keys() & {"region", "price"}:
        value = [{"region": region, "price": price} for region, price in value.items()]
    return _cell(column, value)
