"""An operator's CSV of restricted and banned goods: each row judged alone, the same file twice changes nothing."""

import re
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.components.queries import definitions
from services.catalog.components.rules import TypeDefinition
from services.catalog.restrictions import actions, queries
from services.catalog.restrictions.rules import Restriction, content_key
from services.catalog.standards.files import PROBLEMS_AT_MOST, CellRefused, Row, day_of, one_of, rows_of
from services.catalog.standards.schemas import ImportProblem, ImportReport
from shared.identity import Principal

COLUMNS = ("kind", "type_code", "properties", "regions", "from_on", "until_on", "source", "text")
_ALIASES = {
    "类别": "kind",
    "限制类型": "kind",
    "构件类型": "type_code",
    "类型": "type_code",
    "属性": "properties",
    "区域": "regions",
    "地区": "regions",
    "生效日期": "from_on",
    "开始日期": "from_on",
    "失效日期": "until_on",
    "结束日期": "until_on",
    "来源": "source",
    "文件": "source",
    "条文": "text",
    "内容": "text",
}
_KINDS = {"banned": "banned", "restricted": "restricted", "禁止": "banned", "限制": "restricted", "淘汰": "banned"}
_REGION = re.compile(r"[0-9]{2}([0-9]{4})?")


async def import_restrictions(
    session: AsyncSession, *, body: bytes, dry_run: bool, reason: str, by: Principal, at: datetime
) -> ImportReport:
    """Add the entries of a file, and correct the end and wording of those that are there.

    Raises:
        RegisterFileRefused: the file cannot be read; nothing of it was taken.
    """
    rows = rows_of(body, columns=COLUMNS, aliases=_ALIASES, needed="type_code")
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('catalog.restrictions', 0))"))
    known = await definitions(session, codes=sorted({row.cells.get("type_code", "").upper() for row in rows}))
    found: dict[str, Restriction] = {}
    problems: list[ImportProblem] = []
    for row in rows:
        try:
            entry = _entry(row, known, found)
        except CellRefused as refused:
            problem = ImportProblem(row=row.number, field=refused.field, code=refused.code, message=str(refused))
            problems.append(problem)
            continue
        found[content_key(entry)] = entry
    present = await queries.entries_for_update(session, content_keys=sorted(found))
    writing = {
        key: entry
        for key, entry in found.items()
        if key not in present or (present[key].until_on, present[key].text) != (entry.until_on, entry.text)
    }
    if not dry_run and writing:
        await actions.apply_restrictions(session, entries=writing, present=present, reason=reason, by=by, at=at)
    created = len(writing.keys() - present.keys())
    return ImportReport(
        dry_run=dry_run,
        created=created,
        changed=len(writing) - created,
        unchanged=len(found) - len(writing),
        rejected=len(problems),
        problems=problems[:PROBLEMS_AT_MOST],
    )


def _entry(row: Row, known: Mapping[str, TypeDefinition], before: Mapping[str, Restriction]) -> Restriction:
    """The entry of a row. Raises CellRefused."""
    cells = row.cells
    for column in ("kind", "type_code", "from_on", "source", "text"):
        if column not in cells:
            raise CellRefused(column, "Required", f"The row says no {column}.")
    if len(cells["source"]) > 200:
        raise CellRefused("source", "TooLong", "source has at most 200 characters.")
    from_on = day_of(cells["from_on"], field="from_on")
    assert from_on is not None  # noqa: S101 - the cell is not empty
    entry = Restriction(
        kind=one_of(cells["kind"], field="kind", words=_KINDS),
        type_code=cells["type_code"].upper(),
        properties=_properties(cells.get("properties", "")),
        regions=_regions(cells.get("regions", "")),
        from_on=from_on,
        until_on=day_of(cells.get("until_on"), field="until_on"),
        source=cells["source"],
        text=cells["text"],
    )
    canonical, faults = actions.judged(entry, definition=known.get(entry.type_code))
    if faults:
        raise CellRefused(*faults[0])
    if content_key(canonical) in before:
        raise CellRefused("row", "StandsTwice", "The entry stands in an earlier row already.")
    return canonical


def _properties(text_: str) -> dict[str, str]:
    """`grade=HRB335; diameter=20`, also with the comma of variant keys. Raises CellRefused."""
    found: dict[str, str] = {}
    for part in re.split("[;,；，]", text_):
        if not part.strip():
            continue
        name, sign, value = (each.strip() for each in part.partition("="))
        if not sign or not name or not value or name in found:
            raise CellRefused("properties", "NotReadable", f"{part.strip()[:60]!r} is not a new property=value.")
        found[name] = value
    return found


def _regions(text_: str) -> list[str]:
    regions = [region for region in re.split(r"[;, ]+", text_) if region]
    for region in regions:
        if not _REGION.fullmatch(region):
            raise CellRefused("regions", "NotARegion", f"{region[:20]!r} is no GB/T 2260 code of 2 or 6 digits.")
    if len(regions) > 500:
        raise CellRefused("regions", "TooManyRegions", "At most 500 regions.")
    return regions
