"""An operator's CSV of editions: each row judged alone, the same file twice changes nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.standards import actions, queries, rules
from services.catalog.standards.files import PROBLEMS_AT_MOST, CellRefused, Row, day_of, one_of, rows_of
from services.catalog.standards.record import who_withdrew
from services.catalog.standards.rules import Edition
from services.catalog.standards.schemas import ImportProblem, ImportReport
from services.catalog.standards.tables import StandardEdition
from shared.clock import business_date
from shared.designations import edition_key, parted
from shared.identity import Principal

COLUMNS = (
    "designation",
    "title",
    "kind",
    "published_on",
    "effective_on",
    "withdrawn_on",
    "replaced_by",
    "source",
    "edition_check",
)
_ALIASES = {
    "标准号": "designation",
    "标准编号": "designation",
    "标准名称": "title",
    "名称": "title",
    "性质": "kind",
    "标准性质": "kind",
    "发布日期": "published_on",
    "实施日期": "effective_on",
    "废止日期": "withdrawn_on",
    "代替标准": "replaced_by",
    "被代替": "replaced_by",
    "来源": "source",
    "核对": "edition_check",
}
_KINDS = {kind: kind for kind in rules.KINDS} | {
    "强制": "mandatory",
    "强制性": "mandatory",
    "推荐": "recommended",
    "推荐性": "recommended",
    "团体": "group",
    "团体标准": "group",
    "企业": "enterprise",
    "企业标准": "enterprise",
}
_CHECKS = {check: check for check in rules.CHECKS}


async def import_editions(
    session: AsyncSession, *, body: bytes, dry_run: bool, reason: str, by: Principal, at: datetime
) -> ImportReport:
    """Register and change the editions of a file. An empty cell leaves what is known.

    Raises:
        RegisterFileRefused: the file cannot be read; nothing of it was taken.
    """
    rows = rows_of(body, columns=COLUMNS, aliases=_ALIASES, needed="designation")
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('catalog.standards', 0))"))
    keys = sorted({edition_key(row.cells["designation"]) for row in rows if "designation" in row.cells})
    present = await queries.editions_for_update(session, keys=keys)
    closed = {key for key, who in (await who_withdrew(session, keys=keys)).items() if who == str(by.subject)}
    writing: dict[str, Edition] = {}
    seen: set[str] = set()
    problems: list[ImportProblem] = []
    created = 0
    for row in rows:
        try:
            edition, known = _edition(row, present, seen)
            if known is not None and known.key in closed:
                _not_reopened(known, edition, at=at)
        except CellRefused as refused:
            problems.append(ImportProblem(row=row.number, field=refused.field, code=refused.code, message=str(refused)))
            continue
        if known is None or known.as_rule != edition:
            writing[edition_key(edition.designation)] = edition
            created += known is None
    if not dry_run and writing:
        await actions.apply_editions(session, editions=list(writing.values()), reason=reason, by=by, at=at)
    return ImportReport(
        dry_run=dry_run,
        created=created,
        changed=len(writing) - created,
        unchanged=len(rows) - len(writing) - len(problems),
        rejected=len(problems),
        problems=problems[:PROBLEMS_AT_MOST],
    )


def _not_reopened(known: StandardEdition, edition: Edition, *, at: datetime) -> None:
    """`actions.SecondPersonReopens` of a row. Raises CellRefused."""
    if rules.reopens(known.as_rule, edition, on=business_date(at)):
        message = f"{known.designation} is withdrawn by your word; another operator takes that back or puts it off."
        raise CellRefused("withdrawn_on", "SecondPersonReopens", message)


def _edition(
    row: Row, present: Mapping[str, StandardEdition], seen: set[str]
) -> tuple[Edition, StandardEdition | None]:
    """The edition of a row, over what is known of it. Raises CellRefused."""
    cells = row.cells
    designation = cells.get("designation")
    if designation is None:
        raise CellRefused("designation", "Required", "The row names no edition.")
    key = edition_key(designation)
    if len(designation) > 100 or len(key) > actions.KEY_AT_MOST:
        raise CellRefused("designation", "TooLong", "A designation has at most 100 characters.")
    if key in seen:
        raise CellRefused("designation", "StandsTwice", f"{designation} stands in an earlier row already.")
    seen.add(key)
    known = present.get(key)
    edition = _over(known.as_rule if known else _new(designation, cells), cells)
    if found := rules.faults(edition):
        raise CellRefused(*found[0])
    return edition, known


def _new(designation: str, cells: Mapping[str, str]) -> Edition:
    for column in ("title", "source"):
        if column not in cells:
            raise CellRefused(column, "Required", f"{designation} is new; its {column} must be said.")
    number, year = parted(designation)
    return Edition(
        number=number,
        edition=year,
        title="",
        kind=rules.kind_of(number),
        published_on=None,
        effective_on=None,
        withdrawn_on=None,
        replaced_by=None,
        source="",
        edition_check="verify",
    )


def _over(edition: Edition, cells: Mapping[str, str]) -> Edition:
    for column, most in (("title", 200), ("source", 200), ("replaced_by", 100)):
        if len(cells.get(column, "")) > most:
            raise CellRefused(column, "TooLong", f"{column} has at most {most} characters.")
    if len(edition_key(cells.get("replaced_by", ""))) > actions.KEY_AT_MOST:
        raise CellRefused("replaced_by", "TooLong", "A designation has at most 100 characters.")
    kind, check = cells.get("kind"), cells.get("edition_check")
    return replace(
        edition,
        title=cells.get("title", edition.title),
        kind=edition.kind if kind is None else one_of(kind, field="kind", words=_KINDS),
        published_on=day_of(cells.get("published_on"), field="published_on") or edition.published_on,
        effective_on=day_of(cells.get("effective_on"), field="effective_on") or edition.effective_on,
        withdrawn_on=day_of(cells.get("withdrawn_on"), field="withdrawn_on") or edition.withdrawn_on,
        replaced_by=cells.get("replaced_by", edition.replaced_by),
        source=cells.get("source", edition.source),
        edition_check=edition.edition_check if check is None else one_of(check, field="edition_check", words=_CHECKS),
    )
