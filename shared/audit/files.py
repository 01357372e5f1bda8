"""A company's audit log as a file, and its verification by anybody, anywhere, without us.

One JSON document a line: a head line that says whose log it is and after which hash it begins, the entries in order,
a closing line. Each entry carries the SHA-256 over the hash before it and its own content. So a changed entry, a
missing one, one out of its place and a cut-off end show, and the first of them is named. Who rewrites the whole chain
is found by a head (number and hash) that the owner noted elsewhere before.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from shared.history import GENESIS, chain_hash

KIND = "dougong-audit"
VERSION = 1
MEDIA_TYPE = "application/x-ndjson"
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")


class Fault(StrEnum):
    """What is wrong with a file, in one word."""

    UNREADABLE = "unreadable"
    FOREIGN = "foreign"
    """An entry of another owner or service."""
    CHANGED = "changed"
    MISSING = "missing"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"
    """The chain holds in itself, and is not the one whose head was noted."""
    HEAD_OUTSIDE = "head-outside"
    """The noted head stands before the first entry of the file, which cannot prove it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """The last entry of a chain: how many there are, and the hash that stands for all of them."""

    number: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> "Head":
        """From `<number>:<hash>`.

        Raises:
            ValueError: it is not written so.
        """
        number, _, digest = text.partition(":")
        if not (number.isascii() and number.isdigit() and _DIGEST.fullmatch(digest)):
            message = f"{text!r} is not <number>:<64 hexadecimal digits>"
            raise ValueError(message)
        return cls(number=int(number), hash=digest.lower())

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


EMPTY = Head(number=0, hash=GENESIS.hex())
"""Where every chain begins."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a file proves; `fault` names the first thing wrong, at `number` and `line`."""

    service: str = ""
    owner_id: str = ""
    first: int = 0
    entries: int = 0
    head: Head = EMPTY
    fault: Fault | None = None
    number: int | None = None
    line: int | None = None
    text: str = ""

    @property
    def intact(self) -> bool:
        return self.fault is None


def body_of(entry: Mapping[str, Any], *, service: str, owner_id: str, number: int) -> dict[str, Any]:
    """What is hashed of an entry: its content, whose it is, and its place."""
    return {**entry, "service": service, "owner_id": owner_id, "number": number}


def link(previous: bytes | None, entry: Mapping[str, Any], *, service: str, owner_id: str, number: int) -> bytes:
    """The hash of the entry in its place."""
    return chain_hash(previous, body_of(entry, service=service, owner_id=owner_id, number=number))


def head_line(*, service: str, owner_id: str, before: Head) -> bytes:
    """The first line: whose log, and the entry after which it begins."""
    return _line(
        {
            "kind": KIND,
            "version": VERSION,
            "service": service,
            "owner_id": owner_id,
            "after": {"number": before.number, "hash": before.hash},
        }
    )


def entry_line(entry: Mapping[str, Any], *, service: str, owner_id: str, number: int, digest: bytes) -> bytes:
    """One entry."""
    return _line({**body_of(entry, service=service, owner_id=owner_id, number=number), "hash": digest.hex()})


def closing_line(head: Head) -> bytes:
    """The last line: without it the file was cut off."""
    return _line({"kind": "end", "number": head.number, "hash": head.hash})


def _line(document: Mapping[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS) + b"\n"


def verify(lines: Iterable[bytes], *, noted: Head | None = None) -> Verdict:
    """Check a file against itself, and against a head noted earlier."""
    numbered = enumerate(lines, start=1)
    opening = _opening(numbered)
    if isinstance(opening, Verdict):
        return opening
    check = _Check(*opening, noted=noted)
    found = check.beginning()
    for at, raw in numbered:
        if found is not None:
            return found
        found = check.line(raw, at=at, rest=numbered)
    return found or check.end()


class _Check:
    """How far a file was read, and the last hash that held."""

    def __init__(self, service: str, owner_id: str, before: Head, *, noted: Head | None) -> None:
        self.service, self.owner_id, self.before, self.noted = service, owner_id, before, noted
        self.last = before
        self.closed = False

    def _verdict(self, fault: Fault | None = None, text: str = "", *, at: int | None = None) -> Verdict:
        return Verdict(
            service=self.service,
            owner_id=self.owner_id,
            first=self.before.number + 1,
            entries=self.last.number - self.before.number,
            head=self.last,
            fault=fault,
            number=None if fault is None else self.last.number + 1,
            line=at,
            text=text,
        )

    def beginning(self) -> Verdict | None:
        """Whether the noted head can be proved by this file."""
        if self.noted is None or self.noted.number > self.before.number:
            return None
        if self.noted.number < self.before.number:
            return self._verdict(Fault.HEAD_OUTSIDE, f"The file begins after entry {self.before.number}.")
        return None if self.noted == self.before else self._verdict(Fault.REWRITTEN, "It begins after another hash.")

    def line(self, raw: bytes, *, at: int, rest: Iterator[tuple[int, bytes]]) -> Verdict | None:
        """What is wrong with the next line, or None."""
        document = _parsed(raw)
        if document is None or self.closed:
            what = "Something stands behind the end." if self.closed else "The line is not a JSON object."
            return self._verdict(Fault.UNREADABLE, what, at=at)
        if document.get("kind") == "end":
            self.closed = True
            if (document.get("number"), document.get("hash")) == (self.last.number, self.last.hash):
                return None
            return self._verdict(Fault.TRUNCATED, f"The end line names entry {document.get('number')}.", at=at)
        digest = document.pop("hash", None)
        fault, text = self._fault_of(document, digest, rest=rest)
        following = Head(number=self.last.number + 1, hash=str(digest))
        if fault is None and self.noted is not None and self.noted.number == following.number:
            fault = None if self.noted == following else Fault.REWRITTEN
            text = "Its hash is not the one that was noted."
        if fault is not None:
            return self._verdict(fault, text, at=at)
        self.last = following
        return None

    def end(self) -> Verdict:
        """The verdict when all lines held."""
        if not self.closed:
            return self._verdict(Fault.TRUNCATED, "The file has no end line.")
        if self.noted is not None and self.noted.number > self.last.number:
            return self._verdict(Fault.TRUNCATED, f"The noted head is entry {self.noted.number}.")
        return self._verdict()

    def _fault_of(
        self, document: dict[str, Any], digest: object, *, rest: Iterator[tuple[int, bytes]]
    ) -> tuple[Fault | None, str]:
        """What is wrong with the entry that should come next; reads on only to tell missing from moved."""
        expected = self.last.number + 1
        number = document.get("number")
        if (document.get("service"), document.get("owner_id")) != (self.service, self.owner_id):
            return Fault.FOREIGN, "The entry belongs to another log."
        if number == expected:
            if chain_hash(bytes.fromhex(self.last.hash), document).hex() == digest:
                return None, ""
            return Fault.CHANGED, f"Entry {expected} is not what was hashed."
        if isinstance(number, int) and number < expected:
            return Fault.REORDERED, f"Entry {number} stands where {expected} belongs."
        if any((_parsed(raw) or {}).get("number") == expected for _, raw in rest):
            return Fault.REORDERED, f"Entry {expected} stands further down; entry {number} stands in its place."
        return Fault.MISSING, f"Entry {expected} is missing; entry {number} stands in its place."


def _opening(numbered: Iterator[tuple[int, bytes]]) -> tuple[str, str, Head] | Verdict:
    _, raw = next(numbered, (1, b""))
    document = _parsed(raw) or {}
    after = document.get("after")
    if document.get("kind") == KIND and document.get("version") == VERSION and isinstance(after, dict):
        try:
            before = Head.parse(f"{after.get('number')}:{after.get('hash')}")
            if before.number > 0 or before == EMPTY:
                return str(document.get("service")), str(document.get("owner_id")), before
        except ValueError:
            pass
    return Verdict(fault=Fault.UNREADABLE, line=1, text=f"The first line is not that of a {KIND} file.")


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None
