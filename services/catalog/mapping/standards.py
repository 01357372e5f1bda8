"""Editions of standards that a row names, and whether they still hold."""

import re
from collections.abc import Collection
from datetime import date
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.standards.queries import withdrawn_editions
from shared.designations import edition_key

_NUMBER = re.compile(
    r"(?<![A-Za-z0-9])((?:GB|JGJ|JG|JC|JB|YB|HG|CJJ|CJ|QB|GA|CECS|T/CECS|EN|ISO|ASTM)(?:/T)?)\s*([0-9]+(?:\.[0-9]+)*)"
    r"(?:\s*[-—–]\s*([12][0-9]{3}))?(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_ATLAS = re.compile(r"(?<![A-Za-z0-9])[0-9]{2}[A-Z]{1,2}[0-9]{3}(?:-[0-9]+)?(?![A-Za-z0-9])", re.IGNORECASE)
"""A national atlas of standard details: 15G366-1."""


class StandardsRegister(Protocol):
    """Who knows which editions were withdrawn."""

    async def withdrawn(self, session: AsyncSession, *, numbers: Collection[str], on: date) -> frozenset[str]:
        """Those of these editions (`GB 1499.2-2018`) that no longer hold on a day."""
        ...


class KeptRegister:
    """The register of standards that the catalog keeps."""

    async def withdrawn(self, session: AsyncSession, *, numbers: Collection[str], on: date) -> frozenset[str]:
        gone = await withdrawn_editions(session, on=on)
        return frozenset(number for number in numbers if edition_key(number) in gone)


def standards_in(text: str) -> list[str]:
    """The editions a text names, in one spelling: `GB/T 700-2006`; without a year the standard as such is meant."""
    return [f"{found[1].upper()} {found[2]}-{found[3]}" for found in _NUMBER.finditer(text) if found[3]]


def without_standards(text: str) -> str:
    """The text without the standards and atlases it names, whose numbers are no sizes."""
    return _ATLAS.sub(" ", _NUMBER.sub(" ", text))
