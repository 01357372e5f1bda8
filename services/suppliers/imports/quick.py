"""SQL for the rows a nightly feed is made of: a new count or price of what is there already, all else as stored.

One look-up of the offer and one of the stock level find their places (`ctid`); the updates then go straight there.
`LIMIT 1`
keeps the planner, which does not know the temporary tables, from reading a whole table instead of looking up its
rows. A row that asks for anything more is left in `sync_rows` for `judging`; so is one whose place moved in between.
"""

from services.suppliers.imports.applying import STOCK_EVENTS
from services.suppliers.imports.judging import CLEAN
from shared.contracts.suppliers import EVENT_ROWS_AT_MOST, OFFERS_REPRICED

CREATE_QUICK = f"""
CREATE TEMP TABLE sync_quick ON COMMIT DROP AS
WITH clean AS ({CLEAN}),
counted AS (SELECT *, count(*) OVER (PARTITION BY item_no) AS times FROM clean OFFSET 0)
SELECT
    r.row_no, r.item_no, s.stock_point, o.id AS offer_id, o.place AS offer_place, s.place AS stock_place, r.price,
    round(r.on_hand * o.unit_factor, 3) AS counted, coalesce(r.as_of, %(received_at)s) AS as_of,
    coalesce(r.price <> o.price, false) AS new_price,
    coalesce(
        s.on_hand - s.shortfall <> round(r.on_hand * o.unit_factor, 3) OR r.as_of > s.as_of, false
    ) AS new_count
FROM counted r
JOIN LATERAL (
    SELECT ctid AS place, * FROM offers
    WHERE supplier_id = %(supplier_id)s AND item_no = r.item_no AND offer_code = coalesce(r.offer_code, 'default')
      AND (r.stock_point IS NULL OR stock_point = r.stock_point)
    LIMIT 1
) o ON true
LEFT JOIN LATERAL (
    SELECT ctid AS place, stock_point, on_hand, shortfall, as_of FROM stock_levels
    WHERE supplier_id = %(supplier_id)s AND item_no = r.item_no AND stock_point = r.stock_point
      AND r.on_hand IS NOT NULL
    LIMIT 1
) s ON true
WHERE r.times = 1 AND r.broken_code IS NULL AND r.brand IS NULL AND r.variant IS NULL
  AND num_nonnulls(r.price, r.on_hand) > 0 AND o.status = 'ACTIVE'
  AND (r.on_hand IS NULL OR (
      s.place IS NOT NULL AND r.on_hand >= 0 AND r.on_hand < 1e9 AND o.unit_factor < 1e3
      AND scale(r.on_hand) <= o.unit_decimals
      AND (r.as_of IS NULL OR (r.as_of >= s.as_of AND r.as_of <= %(received_at)s + interval '1 day'))
  ))
  AND (r.price IS NULL OR (r.price >= 0 AND r.price < 1e12 AND scale(r.price) <= 6))
  AND (r.unit IS NULL OR r.unit = o.unit)
  AND (r.currency IS NULL OR r.currency = o.currency)
  AND (r.tax_text IS NULL OR coalesce(r.tax_rate = o.tax_rate, false))
  AND (r.inclusive_text IS NULL OR coalesce(r.tax_inclusive = o.tax_inclusive, false))
  AND (r.min_quantity IS NULL OR coalesce(r.min_quantity = o.min_quantity, false))
  AND (r.step_quantity IS NULL OR coalesce(r.step_quantity = o.step_quantity, false))
  AND (r.lead_time_days IS NULL OR r.lead_time_days = o.lead_time_days)
  AND (r.regions IS NULL OR r.regions = o.regions)
  AND (r.valid_from IS NULL OR r.valid_from = o.valid_from)
  AND (r.valid_until IS NULL OR coalesce(r.valid_until = o.valid_until, false))
  AND (r.audience IS NULL OR r.audience = o.audience)
  AND (r.standard IS NULL OR r.standard = coalesce(o.standard, ''))
  AND (r.freight IS NULL OR r.freight = coalesce(o.freight, '[]'))
  AND (r.certificates IS NULL OR r.certificates = coalesce(o.certificates, '[]'))
  AND (r.epd IS NULL OR r.epd = coalesce(o.epd, 'null'))"""

TALLY_QUICK = """
    SELECT
        count(*) AS rows,
        count(*) FILTER (WHERE NOT new_price AND NOT new_count) AS unchanged,
        count(*) FILTER (WHERE new_price) AS prices,
        count(*) FILTER (WHERE new_count) AS counts
    FROM sync_quick"""

UPDATE_PRICES = f"""
    WITH changed AS (
        UPDATE offers o SET price = q.price, version = o.version + 1, updated_at = %(at)s
        FROM sync_quick q
        WHERE o.ctid = q.offer_place AND o.supplier_id = %(supplier_id)s AND o.id = q.offer_id AND q.new_price
        RETURNING o.id, o.price
    ), events_written AS (
        INSERT INTO events (id, type, subject, company_id, time, data)
        SELECT uuidv7(), '{OFFERS_REPRICED}', CAST(%(supplier_id)s AS text), %(supplier_id)s, %(at)s,
            jsonb_build_object(
                'supplier_id', CAST(%(supplier_id)s AS text),
                'prices', jsonb_object_agg(id, CAST(trim_scale(price) AS text))
            )
        FROM (SELECT id, price, (row_number() OVER () - 1) / {EVENT_ROWS_AT_MOST} AS batch FROM changed) AS numbered
        GROUP BY batch ORDER BY batch
    )
    SELECT count(*) FROM changed"""

UPDATE_COUNTS = f"""
    WITH changed AS (
        UPDATE stock_levels s
        SET on_hand = greatest(q.counted, s.reserved), shortfall = greatest(s.reserved - q.counted, 0),
            as_of = q.as_of, updated_at = %(at)s
        FROM sync_quick q
        WHERE s.ctid = q.stock_place AND s.supplier_id = %(supplier_id)s AND s.item_no = q.item_no
          AND s.stock_point = q.stock_point AND q.new_count
        RETURNING q.row_no, s.item_no, s.stock_point, s.on_hand, s.reserved, s.shortfall, s.as_of
    ), {STOCK_EVENTS}
    SELECT count(*), coalesce(array_agg(row_no) FILTER (WHERE shortfall > 0), '{{}}') FROM changed"""
"""How many it reached, and the rows that count less than is reserved."""

KEEP_SEEN_QUICK = """
    INSERT INTO sync_seen (supplier_id, job_id, row_no, item_no, stock_point)
    SELECT %(supplier_id)s, %(job_id)s, %(first_row)s + row_no - 1, item_no, stock_point
    FROM sync_quick WHERE stock_point IS NOT NULL"""

WARN_QUICK = """
    INSERT INTO sync_row_problems (supplier_id, job_id, row_no, severity, item_no, field, code, message)
    SELECT %(supplier_id)s, %(job_id)s, %(first_row)s + row_no - 1, 'warning', item_no, 'on_hand', 'ShortOfReserved',
        'More is reserved than is on hand; nothing is available until orders are settled.'
    FROM sync_quick WHERE row_no = ANY (%(short)s)"""

FORGET_QUICK = "DELETE FROM sync_rows r USING sync_quick q WHERE r.row_no = q.row_no"
