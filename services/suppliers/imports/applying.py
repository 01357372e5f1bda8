"""SQL that writes what `sync_judged` says would change, each table in one ordered statement with its events.

All stock levels a chunk names are locked first and in key order, as reservations lock theirs, so the two never wait
for each other in a circle.
"""

from shared.contracts.suppliers import EVENT_ROWS_AT_MOST, OFFERS_CHANGED, STOCK_CHANGED

LOCK_STOCK = """
    WITH named AS MATERIALIZED (
        SELECT DISTINCT btrim(item_no) AS item_no, coalesce(nullif(btrim(stock_point), ''), 'main') AS stock_point
        FROM sync_rows WHERE on_hand IS NOT NULL
        ORDER BY item_no, stock_point
    )
    SELECT count(*) FROM named n CROSS JOIN LATERAL (
        SELECT FROM stock_levels
        WHERE supplier_id = %(supplier_id)s AND item_no = n.item_no AND stock_point = n.stock_point
        LIMIT 1
        FOR NO KEY UPDATE
    ) AS locked"""
"""A level that is looked up by a lateral join is locked when its turn comes, in the order of `named`."""

TALLY = """
    SELECT
        count(*) AS rows,
        count(*) FILTER (WHERE problem IS NOT NULL) AS rejected,
        count(*) FILTER (WHERE problem IS NOT NULL AND item_no IS NULL) AS nameless,
        count(*) FILTER (
            WHERE problem IS NULL AND NOT (new_item OR new_brand OR new_count OR new_terms)
        ) AS unchanged,
        count(*) FILTER (WHERE new_item OR new_brand) AS items,
        count(*) FILTER (WHERE prices AND offer_id IS NULL) AS new_offers,
        count(*) FILTER (WHERE new_terms) AS terms,
        count(*) FILTER (WHERE new_count) AS counts,
        count(*) - (SELECT count(*) FROM (
            SELECT FROM sync_judged GROUP BY item_no, stock_point, code
        ) AS apart) AS repeated
    FROM sync_judged"""

NAME_NEW_OFFERS = """
    UPDATE sync_judged j SET code = j.stock_point
    FROM (
        SELECT row_no, first_value(stock_point) OVER (PARTITION BY item_no ORDER BY row_no) AS first_point
        FROM sync_judged WHERE code_is_ours AND prices
    ) AS first
    WHERE first.row_no = j.row_no AND j.stock_point <> first.first_point"""
"""An item's first new offer in a chunk is its default one; those for its other stock points bear their names."""

MARK_SUPERSEDED = """
    UPDATE sync_judged j
    SET count_superseded = j.stocks AND later.count_row > j.row_no,
        terms_superseded = j.prices AND later.terms_row > j.row_no
    FROM (
        SELECT row_no,
            max(row_no) FILTER (WHERE stocks) OVER (PARTITION BY item_no, stock_point) AS count_row,
            max(row_no) FILTER (WHERE prices) OVER (PARTITION BY item_no, code) AS terms_row
        FROM sync_judged WHERE problem IS NULL
    ) AS later
    WHERE later.row_no = j.row_no AND (later.count_row > j.row_no OR later.terms_row > j.row_no)"""

WIDEN_SUPERSEDING = """
    UPDATE sync_judged j
    SET new_count = j.stocks AND NOT j.count_superseded, new_terms = j.prices AND NOT j.terms_superseded
    FROM sync_judged other
    WHERE other.item_no = j.item_no AND (other.count_superseded OR other.terms_superseded) AND j.problem IS NULL"""
"""A later row that repeats what is stored still counts against an earlier row that does not."""

UPSERT_ITEMS = """
    INSERT INTO items (
        supplier_id, item_no, id, variant_id, variant_key, type_code, category, name_zh, name_en, brand, base_unit,
        base_decimals, status, updated_at
    )
    SELECT DISTINCT ON (j.item_no)
        %(supplier_id)s, j.item_no, uuidv7(), v.id, v.key, v.type_code, v.category, v.name_zh, v.name_en, j.brand,
        v.base_unit, v.base_decimals, 'PUBLISHED', %(at)s
    FROM sync_judged j JOIN known_variants v ON v.key = j.variant_key
    WHERE j.new_item OR j.new_brand
    ORDER BY j.item_no, j.row_no DESC
    ON CONFLICT (supplier_id, item_no) DO UPDATE
    SET brand = coalesce(excluded.brand, items.brand), updated_at = excluded.updated_at
    WHERE items.brand IS DISTINCT FROM coalesce(excluded.brand, items.brand)"""

_PLAIN = "CAST(trim_scale({0}) AS text)"

_PRICED = f"""jsonb_build_object(
        'offer_id', o.id, 'supplier_id', o.supplier_id, 'item_no', o.item_no, 'variant_id', i.variant_id,
        'variant_key', i.variant_key, 'type_code', i.type_code, 'category', i.category, 'brand', i.brand,
        'price', {_PLAIN.format("o.price")}, 'currency', o.currency, 'tax_inclusive', o.tax_inclusive,
        'tax_rate', {_PLAIN.format("o.tax_rate")}, 'unit', o.unit, 'unit_factor', {_PLAIN.format("o.unit_factor")},
        'base_unit', i.base_unit, 'min_quantity', {_PLAIN.format("o.min_quantity")},
        'step_quantity', {_PLAIN.format("o.step_quantity")}, 'lead_time_days', o.lead_time_days,
        'regions', o.regions, 'valid_from', o.valid_from, 'valid_until', o.valid_until,
        'audience_keys', o.audience_keys, 'tiers', o.tiers, 'status', o.status, 'stock_point', o.stock_point
    )"""
_DECLARED = """jsonb_build_object(
        'standard', o.standard, 'freight', coalesce(o.freight, '[]'), 'certificates', coalesce(o.certificates, '[]'),
        'epd', o.epd
    )"""
OFFER_STATE = f"""CASE WHEN num_nonnulls(o.standard, o.freight, o.certificates, o.epd) = 0 THEN {_PRICED}
    ELSE {_PRICED} || {_DECLARED} END"""
"""An offer `o` of an item `i` as `shared.contracts.suppliers.OfferState` has it."""

_OFFER_TERMS = (
    "stock_point",
    "price",
    "currency",
    "tax_inclusive",
    "tax_rate",
    "unit",
    "unit_factor",
    "unit_decimals",
    "min_quantity",
    "step_quantity",
    "lead_time_days",
    "regions",
    "valid_from",
    "valid_until",
    "audience",
    "audience_ids",
    "audience_keys",
    "standard",
    "freight",
    "certificates",
    "epd",
    "updated_at",
)

UPSERT_OFFERS = f"""
    WITH changed AS (
        INSERT INTO offers (
            supplier_id, id, item_no, offer_code, stock_point, price, currency, tax_inclusive, tax_rate, unit,
            unit_factor, unit_decimals, min_quantity, step_quantity, lead_time_days, regions, valid_from, valid_until,
            audience, audience_ids, audience_keys, standard, freight, certificates, epd, tiers, status, version,
            updated_at
        )
        SELECT
            %(supplier_id)s, coalesce(offer_id, uuidv7()), item_no, code, point, f_price, f_currency, f_tax_inclusive,
            f_tax_rate, f_unit, f_unit_factor, f_unit_decimals, f_min, f_step, CAST(f_lead AS integer), f_regions,
            f_from, f_until, f_audience, f_ids, f_keys, f_standard, f_freight, f_certificates, f_epd, '[]', 'ACTIVE',
            1, %(at)s
        FROM sync_judged
        WHERE new_terms AND NOT terms_superseded
        ORDER BY item_no, code
        ON CONFLICT (supplier_id, item_no, offer_code) DO UPDATE
        SET {", ".join(f"{column} = excluded.{column}" for column in _OFFER_TERMS)}, version = offers.version + 1
        RETURNING *
    ), numbered AS (
        SELECT {OFFER_STATE} AS state, (row_number() OVER () - 1) / {EVENT_ROWS_AT_MOST} AS batch
        FROM changed o JOIN items i ON i.supplier_id = o.supplier_id AND i.item_no = o.item_no
    )
    INSERT INTO events (id, type, subject, company_id, time, data)
    SELECT uuidv7(), '{OFFERS_CHANGED}', CAST(%(supplier_id)s AS text), %(supplier_id)s, %(at)s,
        jsonb_build_object('supplier_id', CAST(%(supplier_id)s AS text), 'offers', jsonb_agg(state))
    FROM numbered GROUP BY batch ORDER BY batch"""

_STOCK_STATE = """concat(
        '{"item_no":', to_json(item_no), ',"stock_point":', to_json(stock_point), ',"on_hand":"', on_hand,
        '","available":"', on_hand - reserved, '","band":"', stock_band(on_hand, reserved),
        '","as_of":', to_json(as_of), '}'
    )"""
"""As `shared.contracts.suppliers.StockState`; written as text it takes half the time of building jsonb."""

STOCK_EVENTS = f"""
    events_written AS (
        INSERT INTO events (id, type, subject, company_id, time, data)
        SELECT uuidv7(), '{STOCK_CHANGED}', CAST(%(supplier_id)s AS text), %(supplier_id)s, %(at)s,
            CAST('{{"supplier_id":"' || %(supplier_id)s || '","stock":[' || string_agg(state, ',') || ']}}' AS jsonb)
        FROM (
            SELECT {_STOCK_STATE} AS state, (row_number() OVER () - 1) / {EVENT_ROWS_AT_MOST} AS batch FROM changed
        ) AS numbered GROUP BY batch ORDER BY batch
    )"""

UPSERT_STOCK = f"""
    WITH changed AS (
        INSERT INTO stock_levels (supplier_id, item_no, stock_point, on_hand, reserved, shortfall, as_of, updated_at)
        SELECT %(supplier_id)s, item_no, stock_point, counted, 0, 0, as_of, %(at)s
        FROM sync_judged
        WHERE new_count AND NOT count_superseded
        ORDER BY item_no, stock_point
        ON CONFLICT (supplier_id, item_no, stock_point) DO UPDATE
        SET on_hand = greatest(excluded.on_hand, stock_levels.reserved),
            shortfall = greatest(stock_levels.reserved - excluded.on_hand, 0),
            as_of = excluded.as_of, updated_at = excluded.updated_at
        RETURNING item_no, stock_point, on_hand, reserved, shortfall, as_of
    ), {STOCK_EVENTS}
    SELECT item_no, stock_point FROM changed WHERE shortfall > 0"""
"""Answers the levels whose count is below what is reserved."""

KEEP_REJECTED = """
    INSERT INTO sync_row_problems (supplier_id, job_id, row_no, severity, item_no, field, code, message)
    SELECT %(supplier_id)s, %(job_id)s, %(first_row)s + row_no - 1, 'rejected', left(item_no, 100), problem[1],
        problem[2], left(coalesce(problem[3], problem[2]), 500)
    FROM sync_judged WHERE problem IS NOT NULL"""

KEEP_WARNINGS = """
    INSERT INTO sync_row_problems (supplier_id, job_id, row_no, severity, item_no, field, code, message)
    SELECT %(supplier_id)s, %(job_id)s, %(first_row)s + row_no - 1, 'warning', item_no, field, code, message
    FROM (
        SELECT row_no, item_no, 'item_no' AS field, 'Superseded' AS code,
            'A later row says otherwise; the later one counts.' AS message
        FROM sync_judged WHERE count_superseded OR terms_superseded
        UNION ALL
        SELECT row_no, j.item_no, 'on_hand', 'ShortOfReserved',
            'More is reserved than is on hand; nothing is available until orders are settled.'
        FROM sync_judged j JOIN unnest(CAST(%(items)s AS text[]), CAST(%(points)s AS text[])) AS short (item, point)
            ON short.item = j.item_no AND short.point = j.stock_point
        WHERE j.new_count AND NOT j.count_superseded AND NOT j.terms_superseded
    ) AS remarks"""

KEEP_SEEN = """
    INSERT INTO sync_seen (supplier_id, job_id, row_no, item_no, stock_point)
    SELECT %(supplier_id)s, %(job_id)s, %(first_row)s + row_no - 1, item_no, stock_point
    FROM sync_judged WHERE item_no IS NOT NULL AND (stocks OR problem IS NOT NULL)"""

ZERO_MISSING = f"""
    WITH gone AS (
        SELECT item_no, stock_point FROM stock_levels l
        WHERE supplier_id = %(supplier_id)s AND on_hand - shortfall > 0 AND as_of <= %(as_of)s
          AND stock_point = ANY (%(points)s)
          AND NOT EXISTS (
              SELECT FROM sync_seen n
              WHERE n.supplier_id = l.supplier_id AND n.job_id = %(job_id)s AND n.item_no = l.item_no
                AND n.stock_point = l.stock_point
          )
          AND NOT EXISTS (
              SELECT FROM sync_seen n
              WHERE n.supplier_id = l.supplier_id AND n.job_id = %(job_id)s AND n.item_no = l.item_no
                AND n.stock_point IS NULL
          )
        ORDER BY item_no, stock_point
        LIMIT %(limit)s
        FOR UPDATE
    ), changed AS (
        UPDATE stock_levels l
        SET on_hand = l.reserved, shortfall = l.reserved, as_of = %(as_of)s, updated_at = %(at)s
        FROM gone
        WHERE l.supplier_id = %(supplier_id)s AND l.item_no = gone.item_no AND l.stock_point = gone.stock_point
        RETURNING l.item_no, l.stock_point, l.on_hand, l.reserved, l.as_of
    ), {STOCK_EVENTS}
    SELECT count(*) FROM changed"""
"""A count that is newer than the snapshot stands."""
