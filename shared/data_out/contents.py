"""What a company takes with it: every row of its own, as lines of JSON, other parties' keys pseudonymised (T11).

A service says table by table whose rows they are (`Sheet`). A row is shaped for the one company that exports it: ids
of other companies and of other companies' people become pseudonyms, stable inside one export and joined to no other;
what only one side of a document may see is left to that side. Names and tax ids stay where they stand on the
company's own documents: an order without its supplier's name is no document. Chained entries keep their hash beside
the pseudonyms; who must prove them asks the service, or the audit file, which is verbatim.
"""

import hashlib
import hmac
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from shared.audit import files as audit_file

KIND = "dougong-data"
VERSION = 1
MANIFEST = "manifest.json"
AUDIT = "audit.ndjson"
_PARTY_MEMBERS = frozenset(
    {"company_id", "by_company", "buyer_id", "supplier_id", "group_id", "operator_id", "owner_id", "lead_id"}
    | {"participant_ids", "to"}
)
"""Members of JSON documents that name a company, or several; in a consent `to` may be a circle."""
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ACTOR = frozenset({"kind", "by_company"})
"""Beside one of these, `id` and `by` name a person of that company."""


_SHOWN = "shown "
"""Before a column's name in a row: whether the company may see that column of it."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One table's part of an export."""

    owners: tuple[str, ...]
    """Columns of company ids; a row belongs to each of them."""
    where: str | None = None
    """SQL over `:company` instead, for tables that name their owner in another way."""
    parties: tuple[str, ...] = ()
    """More columns that name companies, groups or circles, one or a list."""
    people: Mapping[str, str | None] = field(default_factory=dict)
    """Columns of people's ids, each with the column of their company; None where that is not known."""
    hidden: Mapping[str, str] = field(default_factory=dict)
    """Columns that only the company in another column sees."""
    shown: Mapping[str, str] = field(default_factory=dict)
    """Columns that a company sees only where this SQL over `:company` and the row is true."""
    dropped: tuple[str, ...] = ()
    """Columns that are no data of anybody: hashes of secrets, leases, what is derived."""

    @property
    def condition(self) -> str:
        return self.where or " OR ".join(f"{column} = :company" for column in self.owners)

    def query(self, table: str) -> str:
        """The rows of `:company`, each with what it says about the columns that are not always shown."""
        asked = "".join(f', ({sql}) AS "{_SHOWN}{column}"' for column, sql in self.shown.items())
        return f"SELECT {table}.*{asked} FROM {table} WHERE {self.condition}"


@dataclass(frozen=True, kw_only=True)
class DataOut:
    """What a service gives out: its sheets by table, and why the other tables have none."""

    service: str
    sheets: Mapping[str, Sheet]
    left_out: Mapping[str, str]


HOUSE_LEFT_OUT = {
    "events": "the facts of rows that are exported themselves",
    "idempotency_keys": "answers kept for a week, of what is exported itself",
    "follower_cursors": "the platform's own machinery",
    "parked_events": "the platform's own machinery",
    "audit_entries": f"in {AUDIT}",
    "audit_links": f"in {AUDIT}",
}
HOUSE_SHEETS = {
    "data_exports": Sheet(owners=("company_id",), dropped=("lease_id", "lease_until", "attempts", "file")),
}


class Shaping:
    """Makes the lines of one export. `key` is made for it and forgotten with it."""

    def __init__(self, *, company_id: UUID, key: bytes) -> None:
        self._own = str(company_id)
        self._key = key
        self._known: dict[str, str] = {}

    def line(self, row: Mapping[str, Any], sheet: Sheet) -> bytes:
        """One row as the exporting company may take it."""
        shaped: dict[str, Any] = {}
        for name, raw in row.items():
            if name in sheet.dropped or name.startswith(_SHOWN) or not row.get(f"{_SHOWN}{name}", True):
                continue
            if name in sheet.hidden and str(row[sheet.hidden[name]]) != self._own:
                continue
            shaped[name] = self._column(name, _plain(raw), row, sheet)
        self._learn(shaped)  # all of a row before any of it is written: an id may stand before the member that names it
        inner = {name: self._replaced(each) for name, each in shaped.items()}
        return orjson.dumps(inner, option=orjson.OPT_SORT_KEYS) + b"\n"

    def _column(self, name: str, value: Any, row: Mapping[str, Any], sheet: Sheet) -> Any:
        if name in sheet.owners or name in sheet.parties:
            return [self._party(each) for each in value] if isinstance(value, list) else self._party(value)
        if name in sheet.people:
            company = sheet.people[name]
            if company is not None and str(row[company]) == self._own:
                return value
            return [self._person(each) for each in value] if isinstance(value, list) else self._person(value)
        return value

    def _party(self, value: str | None) -> str | None:
        return value if value is None or value == self._own else self._pseudonym("party", value)

    def _person(self, value: str | None) -> str | None:
        return value if value is None else self._pseudonym("person", value)

    def _pseudonym(self, kind: str, value: str) -> str:
        if value not in self._known:
            digest = hmac.new(self._key, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()
            self._known[value] = f"{kind}-{digest[:24]}"
        return self._known[value]

    def _replaced(self, value: Any) -> Any:
        """A document inside a row with every other party's id replaced, wherever in it it stands."""
        if isinstance(value, dict):
            others = value.get("company_id") not in (None, self._own) and "kind" in value
            return {
                name: self._person(each)
                if others and name == "name" and isinstance(each, str)
                else self._replaced(each)
                for name, each in value.items()
            }
        if isinstance(value, list):
            return [self._replaced(each) for each in value]
        return _ID.sub(lambda found: self._known.get(found[0], found[0]), value) if isinstance(value, str) else value

    def _learn(self, shaped: Mapping[str, Any]) -> None:
        """Find the ids of other companies in the documents of a row, and of the people that act for them."""
        waiting = [each for each in shaped.values() if isinstance(each, dict | list)]
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                self._learn_from(value)
                value = list(value.values())
            waiting += [each for each in value if isinstance(each, dict | list)]

    def _learn_from(self, document: Mapping[str, Any]) -> None:
        for name in _PARTY_MEMBERS & document.keys():
            named = document[name] if isinstance(document[name], list) else [document[name]]
            for each in named:
                if isinstance(each, str) and _ID.fullmatch(each):
                    self._party(each)
        for person, company in (("id", "company_id"), ("by", "by_company")):
            if person in document and document.get(company) not in (None, self._own) and _ACTOR & document.keys():
                self._person(document[person])


def _plain(value: Any) -> Any:
    """A column's value as JSON: decimals, ids and moments as text, bytes in hexadecimal digits."""
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """One file of an export, as its manifest tells it."""

    name: str
    rows: int
    bytes: int
    sha256: str


def manifest(
    *, service: str, company_id: UUID, export_id: UUID, schema: str, at: datetime, files: list[Contents], head: str
) -> bytes:
    """The manifest of an export: what it holds, by which schema, and the head of the audit chain in it."""
    document = {
        "kind": KIND,
        "version": VERSION,
        "service": service,
        "company_id": str(company_id),
        "export_id": str(export_id),
        "schema": schema,
        "as_of": at.isoformat(),
        "audit_head": head,
        "files": [{"name": f.name, "rows": f.rows, "bytes": f.bytes, "sha256": f.sha256} for f in files],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def faults_in(file: Path) -> Iterator[str]:
    """What shows that an exported ZIP is not what was exported; nothing when it is whole."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if MANIFEST not in names:
                yield f"{MANIFEST} is missing"
                return
            told = orjson.loads(archive.read(MANIFEST))
            expected = {each["name"]: each for each in told["files"]}
            yield from (f"{name} is not in the manifest" for name in names if name not in expected and name != MANIFEST)
            for name, each in expected.items():
                if name not in names:
                    yield f"{name} is missing"
                    continue
                digest, rows = _digest(archive, name)
                if digest != each["sha256"] or rows != each["rows"]:
                    yield f"{name} is not what was exported"
            if AUDIT in names:
                with archive.open(AUDIT) as lines:
                    verdict = audit_file.verify(lines, noted=audit_file.Head.parse(told["audit_head"]))
                if not verdict.intact:
                    yield f"{AUDIT}: entry {verdict.number} is {verdict.fault}: {verdict.text}"
    except (zipfile.BadZipFile, OSError, KeyError, TypeError, ValueError) as problem:
        yield f"cannot be read: {problem}"


def _digest(archive: zipfile.ZipFile, name: str) -> tuple[str, int]:
    hashed, rows = hashlib.sha256(), 0
    with archive.open(name) as lines:
        for line in lines:
            hashed.update(line)
            rows += 1
    return hashed.hexdigest(), rows
