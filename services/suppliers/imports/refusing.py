"""Rows of a chunk that the registers speak against: rejected like any other, with the entry quoted.

A row is asked about the edition it states itself, and, when it makes an offer, about its type; a price or count of
what is listed already goes through, for such an offer is shown as needing an update. A chunk without either asks
nothing but two counts.
"""

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncClientCursor
from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.offers.declared import goods_of
from services.suppliers.offers.register_checks import FIELD_AT_FAULT, unknown_editions
from services.suppliers.register.queries import register_now
from services.suppliers.register.rules import Finding, Register, against_listing

_COUNT = """
    SELECT count(*) FILTER (WHERE said_standard) AS standards, count(*) FILTER (WHERE offer_id IS NULL) AS new_offers
    FROM sync_judged WHERE new_terms"""

_STATED = "SELECT DISTINCT f_standard FROM sync_judged WHERE new_terms AND said_standard"

_MADE = """
    SELECT DISTINCT j.variant_key, j.f_regions, v.type_code, v.snapshot
    FROM sync_judged j JOIN known_variants v ON v.key = j.variant_key
    WHERE j.new_terms AND j.offer_id IS NULL AND v.type_code = ANY (%(types)s)"""

_REJECT = """
    UPDATE sync_judged j
    SET problem = ARRAY[bad.field, bad.code, bad.message], stocks = false, prices = false, new_item = false,
        new_brand = false, new_count = false, new_terms = false
    FROM unnest(
        CAST(%(values)s AS text[]), CAST(%(fields)s AS text[]), CAST(%(codes)s AS text[]),
        CAST(%(messages)s AS text[])
    ) AS bad (value, field, code, message)
    WHERE j.new_terms AND """
_BY_STANDARD = "j.said_standard AND j.f_standard = bad.value"
_BY_GOODS = "j.offer_id IS NULL AND j.variant_key || E'\\x1f' || array_to_string(j.f_regions, ';') = bad.value"

_Bad = tuple[str, str, str]
"""Field, code and message."""


async def refuse(session: AsyncSession, cursor: AsyncClientCursor[Any], values: Mapping[str, Any]) -> None:
    """Reject them in `sync_judged`."""
    await cursor.execute(_COUNT)
    count = await cursor.fetchone()
    if count is None or not (count.standards or count.new_offers):
        return
    register = await register_now(session)
    if count.standards:
        await cursor.execute(_STATED)
        stated = [row.f_standard for row in await cursor.fetchall()]
        await _reject(cursor, await _bad_editions(session, register, stated, values), _BY_STANDARD)
    types = sorted({*register.restrictions, *register.deprecated})
    if count.new_offers and types:
        await cursor.execute(_MADE, {"types": types})
        bad: dict[str, _Bad] = {}
        for row in await cursor.fetchall():
            goods = goods_of(None, row.type_code, row.snapshot)
            for finding in against_listing(register, goods=goods, regions=row.f_regions, on=values["on"]):
                bad[f"{row.variant_key}\x1f{';'.join(row.f_regions)}"] = _said(finding)
        await _reject(cursor, bad, _BY_GOODS)


async def _bad_editions(
    session: AsyncSession, register: Register, stated: list[str], values: Mapping[str, Any]
) -> dict[str, _Bad]:
    bad = {
        each: ("standard", "UnknownEdition", message)
        for each, message in (await unknown_editions(session, standards=stated)).items()
    }
    for each in stated:
        goods = goods_of(each, "", {})
        for finding in against_listing(register, goods=goods, regions=(), on=values["on"]):
            bad[each] = _said(finding)
    return bad


def _said(finding: Finding) -> _Bad:
    return FIELD_AT_FAULT[finding.code], str(finding.code), finding.detail


async def _reject(cursor: AsyncClientCursor[Any], bad: Mapping[str, _Bad], which: str) -> None:
    if bad:
        await cursor.execute(
            _REJECT + which,
            {
                "values": list(bad),
                "fields": [field for field, _, _ in bad.values()],
                "codes": [code for _, code, _ in bad.values()],
                "messages": [message for _, _, message in bad.values()],
            },
        )
