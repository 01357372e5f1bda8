"""Blacklists as far as they forbid new orders: kept by following `suppliers`, shown to those whom an entry binds.

An offer of a listed supplier stays where it ranks and says `SupplierBlacklisted`, in the words in which `suppliers`
refuses the order. An entry for some projects says nothing here: a search knows of no project (domain.md 5.3).
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.search.places import region_heads
from services.catalog.search.wire import fetch_none
from shared.audience import PUBLIC_KEY
from shared.contracts.blacklists import BlacklistChanged
from shared.feed import Event, parse_position

_FORBID_ORDERS = frozenset({"NO_NEW_ORDER", "STOP_DELIVERY"})

_NUMBER = """
    INSERT INTO search_blacklists AS old (entry_id, seq)
    SELECT entry_id, seq FROM json_to_recordset(CAST(:rows AS json)) AS told (entry_id uuid, seq bigint)
    ORDER BY entry_id
    ON CONFLICT (entry_id) DO UPDATE SET seq = excluded.seq WHERE old.seq < excluded.seq"""

# Only what the statement before let stand: an older state of an entry finds another number there.
_FORGET = """
    DELETE FROM search_blacklisted listed
    USING json_to_recordset(CAST(:rows AS json)) AS told (entry_id uuid, seq bigint), search_blacklists entry
    WHERE listed.entry_id = told.entry_id AND entry.entry_id = told.entry_id AND entry.seq = told.seq"""

_LIST = """
    INSERT INTO search_blacklisted (
        supplier_id, entry_id, audience_keys, official, reason_class, categories, region_heads, starts_on, expires_on
    )
    SELECT DISTINCT ON (supplier_id, told.entry_id) supplier_id, told.entry_id, audience_keys, official, reason_class,
        categories, region_heads, starts_on, expires_on
    FROM json_to_recordset(CAST(:rows AS json)) AS told (
        entry_id uuid, supplier_ids uuid[], audience_keys text[], official boolean, reason_class text,
        categories text[], region_heads text[], starts_on date, expires_on date, seq bigint
    )
    JOIN search_blacklists entry ON entry.entry_id = told.entry_id AND entry.seq = told.seq
    CROSS JOIN LATERAL unnest(told.supplier_ids) AS supplier_id
    ON CONFLICT DO NOTHING"""


def told(*, official: bool, reason_class: str, until: date) -> str:
    """The sentence about an entry for a reader whom it binds."""
    owner = "an official list" if official else "your group's blacklist"
    return f"The supplier is on {owner}: {reason_class}, until {until}."


def against(offer: str) -> str:
    """SQL of the entry that forbids an offer (an alias of `queries.best_offers`), or of no row: of several the
    one that lasts longest. Columns `listed_officially`, `listed_for`, `listed_until`."""
    return f"""
        SELECT listed.official AS listed_officially, listed.reason_class AS listed_for,
            listed.expires_on AS listed_until
        FROM search_blacklisted listed
        WHERE listed.supplier_id = {offer}.supplier_id AND listed.audience_keys && CAST(:viewer AS text[])
          AND :today BETWEEN listed.starts_on AND listed.expires_on
          AND (listed.categories = '{{}}' OR {offer}.offer_category = ANY (listed.categories))
          AND (listed.region_heads = '{{}}' OR listed.region_heads && CAST(:around AS text[]))
        ORDER BY listed.expires_on DESC, listed.entry_id LIMIT 1"""


async def entries_changed(session: AsyncSession, *, events: Sequence[Event]) -> None:
    """Take entries over as they stand.

    Raises:
        ValidationError: an event is not what its contract says.
    """
    newest: dict[Any, dict[str, Any]] = {}
    for event in events:
        entry = BlacklistChanged.model_validate(event.data)
        row = _row(entry, seq=parse_position(event.position)[1])
        if entry.entry_id not in newest or newest[entry.entry_id]["seq"] <= row["seq"]:
            newest[entry.entry_id] = row
    rows = orjson.dumps(list(newest.values())).decode()
    for statement in (_NUMBER, _FORGET, _LIST):
        await fetch_none(session, statement, {"rows": rows})


def _row(entry: BlacklistChanged, *, seq: int) -> dict[str, Any]:
    owner = entry.owner_group_id
    forbids = entry.status == "ACTIVE" and entry.level in _FORBID_ORDERS and not entry.project_ids
    return {
        "entry_id": entry.entry_id,
        # A company without a group stands for one.
        "audience_keys": [PUBLIC_KEY] if owner is None else [f"group:{owner}", f"company:{owner}"],
        "official": owner is None,
        "reason_class": entry.reason_class,
        "categories": entry.categories,
        "region_heads": region_heads(entry.regions),
        "starts_on": entry.starts_on,
        "expires_on": entry.expires_on,
        "supplier_ids": entry.supplier_ids if forbids else [],
        "seq": seq,
    }
