"""SQL that looks at the staged rows of one chunk against what is stored, and says of each what it would change.

The rows stand in the temporary table `sync_rows`; the verdicts go into `sync_judged`. Nothing is written here.
An offer gets the keys of its reach (`spaces`), which the chunk keeps from changing meanwhile. An empty cell leaves what
is stored; of what an offer declares, '' (edition), `[]` and JSON's `null` say: no more.
`OFFSET 0` keeps each layer's expressions from being worked out again wherever the next one uses them; `LIMIT 1`
makes a look-up by key of what the planner, not knowing the temporary tables, would make a scan.
"""

STAGED = {
    "item_no": "text",
    "stock_point": "text",
    "on_hand": "numeric",
    "as_of": "timestamptz",
    "price": "numeric",
    "currency": "text",
    "tax_rate": "text",
    "tax_inclusive": "text",
    "min_quantity": "numeric",
    "step_quantity": "numeric",
    "lead_time_days": "numeric",
    "regions": "text",
    "valid_from": "date",
    "valid_until": "date",
    "audience": "text",
    "standard": "text",
    "freight": "jsonb",
    "certificates": "jsonb",
    "epd": "jsonb",
    "unit": "text",
    "offer_code": "text",
    "brand": "text",
    "variant": "text",
    "type": "text",
    "properties": "text",
}
"""The columns of `sync_rows` and their types; all that is text is looked at here."""

BROKEN = ("broken_field", "broken_code", "broken_message")
"""Filled for a row that could not even be read."""

_ROW_NUMBER = "row_no integer GENERATED ALWAYS AS IDENTITY"
_BROKEN_COLUMNS = ", ".join(f"{name} text" for name in BROKEN)

CREATE_ROWS = (
    f"CREATE TEMP TABLE sync_rows ({_ROW_NUMBER}, "
    + ", ".join(f"{name} {kind}" for name, kind in STAGED.items())
    + f", {_BROKEN_COLUMNS}) ON COMMIT DROP"
)

CREATE_TEXT = (
    f"CREATE TEMP TABLE sync_text ({_ROW_NUMBER}, "
    + ", ".join(f"{name} text" for name in STAGED)
    + f", {_BROKEN_COLUMNS}) ON COMMIT DROP"
)
"""Where a chunk goes that does not fit the types, to find out which rows do not."""

_KINDS = {"numeric": "NotANumber", "timestamptz": "NotATime", "date": "NotADate", "jsonb": "NotReadable"}
_TYPED = {name: kind for name, kind in STAGED.items() if kind in _KINDS}


def _typed(name: str, kind: str) -> str:
    plain = f"nullif(btrim({name}), '')"
    return f"CASE WHEN pg_input_is_valid({plain}, '{kind}') THEN CAST({plain} AS {kind}) END"


def _misfit(name: str, kind: str) -> str:
    plain = f"nullif(btrim({name}), '')"
    message = f"'{name} ' || quote_literal(left({plain}, 60)) || ' cannot be read as {kind}.'"
    return (
        f"WHEN {plain} IS NOT NULL AND NOT pg_input_is_valid({plain}, '{kind}') "
        f"THEN ARRAY['{name}', '{_KINDS[kind]}', {message}]"
    )


TEXT_TO_ROWS = (
    f"INSERT INTO sync_rows (row_no, {', '.join(STAGED)}, {', '.join(BROKEN)}) OVERRIDING SYSTEM VALUE SELECT row_no, "
    + ", ".join(_typed(name, kind) if name in _TYPED else name for name, kind in STAGED.items())
    + ", coalesce(broken_field, misfit[1]), coalesce(broken_code, misfit[2]), coalesce(broken_message, misfit[3]) "
    + "FROM (SELECT *, CASE "
    + " ".join(_misfit(name, kind) for name, kind in _TYPED.items())
    + " END AS misfit FROM sync_text) AS looked_at ORDER BY row_no"
)

CREATE_VARIANTS = "CREATE TEMP TABLE sync_variants (given text, key text, code text, detail text) ON COMMIT DROP"
"""What this chunk's rows call their variants, and which they are or why they are none."""

CLEAN = """
    SELECT
        row_no, broken_field, broken_code, broken_message,
        nullif(btrim(item_no), '') AS item_no,
        coalesce(nullif(btrim(stock_point), ''), CASE WHEN on_hand IS NOT NULL THEN 'main' END) AS stock_point,
        nullif(btrim(offer_code), '') AS offer_code,
        on_hand, as_of, price, min_quantity, step_quantity, lead_time_days, valid_from, valid_until,
        upper(nullif(btrim(currency), '')) AS currency,
        nullif(btrim(tax_rate), '') AS tax_text,
        CASE
            WHEN pg_input_is_valid(rtrim(btrim(tax_rate), '%%'), 'numeric') AND btrim(tax_rate) <> '' THEN
                CAST(rtrim(btrim(tax_rate), '%%') AS numeric) * CASE WHEN tax_rate LIKE '%%\\%%%%' THEN 0.01 ELSE 1 END
        END AS tax_rate,
        nullif(btrim(tax_inclusive), '') AS inclusive_text,
        CASE
            WHEN lower(btrim(tax_inclusive)) IN ('true', 't', 'yes', 'y', '1', '是', '含税') THEN true
            WHEN lower(btrim(tax_inclusive)) IN ('false', 'f', 'no', 'n', '0', '否', '不含税') THEN false
        END AS tax_inclusive,
        CASE WHEN regions IS NOT NULL THEN
            regexp_split_to_array(btrim(regions, ' ;；'), '[;； ]+')
        END AS regions,
        upper(nullif(btrim(audience), '')) AS audience,
        CASE
            WHEN lower(btrim(standard)) IN ('none', '无') THEN ''
            WHEN standard IS NOT NULL THEN nullif(btrim(regexp_replace(
                regexp_replace(normalize(standard, NFKC), '\\s+', ' ', 'g'), '[\u2010-\u2015\u2212]', '-', 'g'
            )), '')
        END AS standard,
        freight, certificates, epd,
        coalesce(CAST(%(unit_aliases)s AS jsonb) ->> btrim(unit), nullif(btrim(unit), '')) AS unit,
        nullif(btrim(brand), '') AS brand,
        coalesce(
            nullif(btrim(variant), ''), nullif(btrim(type), '') || E'\\x1f' || coalesce(properties, '')
        ) AS variant,
        num_nonnulls(
            price, currency, tax_rate, tax_inclusive, min_quantity, step_quantity, lead_time_days, regions, valid_from,
            valid_until, audience, standard, freight, certificates, epd
        ) > 0 AS prices
    FROM sync_rows
    WHERE broken_code IS DISTINCT FROM 'blank'
    OFFSET 0"""

_MATCHED = """
    SELECT
        r.*,
        i.item_no IS NULL AS new_item,
        coalesce(i.variant_key, given.key) AS variant_key,
        coalesce(i.category, (SELECT v.category FROM known_variants v WHERE v.key = given.key)) AS category,
        i.variant_key AS item_variant,
        i.brand AS item_brand,
        given.key AS given_key, given.code AS given_code, given.detail AS given_detail,
        o.id AS offer_id, o.offer_code AS o_code, o.stock_point AS o_point, o.price AS o_price,
        o.currency AS o_currency, o.tax_rate AS o_tax_rate, o.tax_inclusive AS o_tax_inclusive, o.unit AS o_unit,
        o.min_quantity AS o_min, o.step_quantity AS o_step, o.lead_time_days AS o_lead, o.regions AS o_regions,
        o.valid_from AS o_from, o.valid_until AS o_until, o.audience AS o_audience, o.audience_ids AS o_ids,
        o.standard AS o_standard, o.freight AS o_freight, o.certificates AS o_certificates, o.epd AS o_epd,
        o.tiers AS o_tiers, o.status AS o_status,
        CASE
            WHEN coalesce(r.unit, o.unit, i.base_unit) = o.unit THEN o.unit_factor
            WHEN coalesce(r.unit, i.base_unit) = i.base_unit THEN 1
            ELSE (
                SELECT CAST(v.unit_factors ->> coalesce(r.unit, v.base_unit) AS numeric)
                FROM known_variants v WHERE v.key = coalesce(i.variant_key, given.key)
            )
        END AS factor,
        CASE
            WHEN coalesce(r.unit, o.unit, i.base_unit) = o.unit THEN o.unit_decimals
            WHEN coalesce(r.unit, i.base_unit) = i.base_unit THEN i.base_decimals
            ELSE (
                SELECT CAST(v.unit_decimals ->> coalesce(r.unit, v.base_unit) AS smallint)
                FROM known_variants v WHERE v.key = coalesce(i.variant_key, given.key)
            )
        END AS decimals,
        s.on_hand AS s_on_hand, s.reserved AS s_reserved, s.shortfall AS s_shortfall, s.as_of AS s_as_of
    FROM clean r
    LEFT JOIN LATERAL (
        SELECT * FROM items WHERE supplier_id = %(supplier_id)s AND item_no = r.item_no LIMIT 1
    ) i ON true
    LEFT JOIN LATERAL (
        SELECT * FROM stock_levels
        WHERE supplier_id = %(supplier_id)s AND item_no = r.item_no AND stock_point = r.stock_point
          AND r.on_hand IS NOT NULL
        LIMIT 1
    ) s ON true
    LEFT JOIN sync_variants given ON given.given = r.variant
    LEFT JOIN LATERAL (
        SELECT * FROM offers
        WHERE supplier_id = %(supplier_id)s AND item_no = r.item_no
          AND CASE
              WHEN r.offer_code IS NOT NULL THEN offer_code = r.offer_code
              WHEN r.stock_point IS NULL THEN true
              ELSE stock_point = r.stock_point OR offer_code = r.stock_point
                  OR (offer_code = 'default' AND stock_point IS NULL)
          END
        ORDER BY coalesce(stock_point = r.stock_point, false) DESC, offer_code = 'default' DESC, offer_code
        LIMIT 1
    ) o ON true
    OFFSET 0"""

_MERGED = """
    SELECT
        *,
        CASE WHEN NOT prices OR offer_id IS NOT NULL THEN o_code ELSE coalesce(
            offer_code,
            CASE WHEN EXISTS (
                SELECT FROM offers d WHERE d.supplier_id = %(supplier_id)s AND d.item_no = m.item_no
                  AND d.offer_code = 'default'
            ) THEN stock_point ELSE 'default' END
        ) END AS code,
        CASE
            WHEN NOT prices THEN NULL
            WHEN offer_id IS NOT NULL THEN coalesce(o_point, stock_point)
            WHEN stock_point IS NOT NULL THEN stock_point
            ELSE (
                SELECT min(l.stock_point) FROM stock_levels l
                WHERE l.supplier_id = %(supplier_id)s AND l.item_no = m.item_no
            )
        END AS point,
        CASE WHEN prices AND offer_id IS NULL AND stock_point IS NULL THEN (
            SELECT count(*) FROM stock_levels l WHERE l.supplier_id = %(supplier_id)s AND l.item_no = m.item_no
        ) END AS points,
        coalesce(unit, o_unit) AS n_unit,
        CASE WHEN on_hand >= 0 AND on_hand < 1e12 THEN round(on_hand * factor, 3) END AS counted
    FROM matched m
    OFFSET 0"""

_PROBLEM = """
    CASE
        WHEN broken_code IS NOT NULL THEN ARRAY[broken_field, broken_code, broken_message]
        WHEN item_no IS NULL THEN ARRAY['item_no', 'Required', 'The row names no item.']
        WHEN char_length(item_no) > 100
            THEN ARRAY['item_no', 'TooLong', 'An item number has at most 100 characters.']
        WHEN char_length(stock_point) > 100
            THEN ARRAY['stock_point', 'TooLong', 'A stock point has at most 100 characters.']
        WHEN char_length(offer_code) > 100
            THEN ARRAY['offer_code', 'TooLong', 'An offer code has at most 100 characters.']
        WHEN char_length(brand) > 200 THEN ARRAY['brand', 'TooLong', 'A brand has at most 200 characters.']
        WHEN variant IS NOT NULL AND given_key IS NULL AND (new_item OR variant <> item_variant)
            THEN ARRAY['variant', coalesce(given_code, 'UnknownVariant'), coalesce(given_detail, 'Unknown variant.')]
        WHEN new_item AND given_key IS NULL THEN ARRAY['item_no', 'UnknownItem',
            'Item ' || item_no || ' is not known; send its variant (or type and properties) to make it.']
        WHEN NOT new_item AND given_key <> item_variant THEN ARRAY['variant', 'ItemIsAnotherVariant',
            'Item ' || item_no || ' is ' || item_variant || '; another variant needs another item number.']
        WHEN factor IS NULL THEN ARRAY['unit', 'UnitNotConvertible',
            unit || ' cannot be converted to the base unit of this item.']
        WHEN on_hand < 0 OR on_hand >= 1e12 OR counted >= 1e12 THEN ARRAY['on_hand', 'OutOfRange',
            'on_hand is ' || left(on_hand || '', 40) || '; it must be from 0 to below 1,000,000,000,000.']
        WHEN scale(on_hand) > decimals AND min_scale(on_hand) > decimals THEN ARRAY['on_hand', 'QuantityTooPrecise',
            n_unit_or_base || ' takes at most ' || decimals || ' decimal places; ' || left(on_hand || '', 40)
            || ' has more.']
        WHEN as_of > %(received_at)s + interval '1 day'
            THEN ARRAY['as_of', 'InTheFuture', 'as_of ' || as_of || ' has not come yet.']
        WHEN as_of < '2000-01-01T00:00:00Z'
            THEN ARRAY['as_of', 'OutOfRange', 'as_of ' || as_of || ' lies before the year 2000.']
        WHEN on_hand IS NOT NULL AND as_of < s_as_of THEN ARRAY['as_of', 'OlderThanStored',
            'The stock of ' || s_as_of || ' is known already; this is of ' || as_of || '.']
        WHEN o_status = 'WITHDRAWN' AND (prices OR offer_code IS NOT NULL) THEN ARRAY['offer_code', 'OfferWithdrawn',
            'Offer ' || o_code || ' of this item is withdrawn; use another offer_code for a new one.']
        WHEN NOT prices THEN NULL
        WHEN points > 1 THEN ARRAY['stock_point', 'StockPointNeeded',
            'The item lies at several stock points; say which one this price is for.']
        WHEN offer_code IS NULL AND stock_point IS NULL AND o_code <> 'default' AND (
            SELECT count(*) FROM offers d WHERE d.supplier_id = %(supplier_id)s AND d.item_no = m.item_no
        ) > 1 THEN ARRAY['offer_code', 'OfferCodeNeeded', 'The item has several offers; say which one this is.']
        WHEN o_point <> stock_point THEN ARRAY['offer_code', 'OfferAtAnotherStockPoint',
            'Offer ' || o_code || ' of this item is served from ' || o_point || '; use another offer_code.']
        WHEN offer_id IS NULL AND num_nonnulls(price, tax_rate, tax_inclusive, unit) < 4 AND (
            price IS NULL OR tax_text IS NULL OR inclusive_text IS NULL OR unit IS NULL
        ) THEN ARRAY['price', 'MissingForNewOffer',
            'A new offer needs price, tax_rate, tax_inclusive and unit; missing: ' || concat_ws(', ',
                CASE WHEN price IS NULL THEN 'price' END, CASE WHEN tax_text IS NULL THEN 'tax_rate' END,
                CASE WHEN inclusive_text IS NULL THEN 'tax_inclusive' END, CASE WHEN unit IS NULL THEN 'unit' END
            ) || '.']
        WHEN unit <> o_unit AND (
            price IS NULL OR o_tiers <> '[]' OR (o_min IS NOT NULL AND min_quantity IS NULL)
            OR (o_step IS NOT NULL AND step_quantity IS NULL)
        ) THEN ARRAY['unit', 'UnitOfOfferChanges',
            'The offer is in ' || o_unit || '; in another unit its price, minimum and step must be said anew, '
            || 'and tiers through the offers API.']
        WHEN price < 0 OR price >= 1e12
            THEN ARRAY['price', 'OutOfRange',
                'price is ' || left(price || '', 40) || '; it must be from 0 to below 1,000,000,000,000.']
        WHEN scale(price) > 6 AND min_scale(price) > 6
            THEN ARRAY['price', 'PriceTooPrecise',
                'A price has at most 6 decimal places; ' || left(price || '', 40) || ' has more.']
        WHEN currency !~ '^[A-Z]{3}$'
            THEN ARRAY['currency', 'NotACurrency', quote_literal(left(currency, 20)) || ' is not a currency code.']
        WHEN tax_text IS NOT NULL AND tax_rate IS NULL
            THEN ARRAY['tax_rate', 'NotANumber', 'tax_rate ' || quote_literal(left(tax_text, 20)) || ' is no number.']
        WHEN tax_rate < 0 OR tax_rate >= 1
            THEN ARRAY['tax_rate', 'OutOfRange', 'tax_rate is ' || tax_text || '; write 0.13 or 13%%.']
        WHEN min_scale(tax_rate) > 6
            THEN ARRAY['tax_rate', 'RateTooPrecise', 'A tax rate has at most 6 decimal places.']
        WHEN inclusive_text IS NOT NULL AND tax_inclusive IS NULL THEN ARRAY['tax_inclusive', 'NotTrueOrFalse',
            'tax_inclusive is ' || quote_literal(left(inclusive_text, 20)) || '; write true or false.']
        WHEN min_quantity <= 0 OR min_quantity >= 1e12 OR min_scale(min_quantity) > decimals THEN ARRAY[
            'min_quantity', 'NotAQuantity',
            'min_quantity ' || left(min_quantity || '', 40) || ' is no quantity of its unit.']
        WHEN step_quantity <= 0 OR step_quantity >= 1e12 OR min_scale(step_quantity) > decimals THEN ARRAY[
            'step_quantity', 'NotAQuantity',
            'step_quantity ' || left(step_quantity || '', 40) || ' is no quantity of its unit.']
        WHEN lead_time_days < 0 OR lead_time_days > 3650 OR min_scale(lead_time_days) > 0 THEN ARRAY[
            'lead_time_days', 'OutOfRange',
            'lead_time_days is ' || left(lead_time_days || '', 40) || '; whole days from 0 to 3650.']
        WHEN cardinality(regions) > 500 THEN ARRAY['regions', 'TooManyRegions', 'At most 500 regions.']
        WHEN regions IS NOT NULL AND NOT array_to_string(regions, ';', '') ~ '^([0-9]{2}([0-9]{4})?(;|$))*$'
            THEN ARRAY['regions', 'NotARegion', 'Regions are GB/T 2260 codes of 2 or 6 digits, separated by ;.']
        WHEN valid_from NOT BETWEEN '2000-01-01' AND '9999-12-31'
            THEN ARRAY['valid_from', 'OutOfRange', 'valid_from lies outside the years 2000 to 9999.']
        WHEN valid_until NOT BETWEEN '2000-01-01' AND '9999-12-31'
            THEN ARRAY['valid_until', 'OutOfRange', 'valid_until lies outside the years 2000 to 9999.']
        WHEN coalesce(valid_until, o_until) < coalesce(valid_from, o_from, %(on)s)
            THEN ARRAY['valid_until', 'EndsBeforeItBegins', 'valid_until lies before valid_from.']
        WHEN audience NOT IN ('MEMBERS', 'PUBLIC') AND audience IS DISTINCT FROM o_audience
            THEN ARRAY['audience', 'AudienceNotBySync',
                'A sync can say MEMBERS or PUBLIC; a narrower audience names companies, which the offers API does.']
        WHEN char_length(standard) > 100
            THEN ARRAY['standard', 'TooLong', 'An edition has at most 100 characters.']
    END"""

CREATE_JUDGED = f"""
CREATE TEMP TABLE sync_judged ON COMMIT DROP AS
WITH clean AS ({CLEAN}), matched AS ({_MATCHED}), merged AS ({_MERGED}),
named AS (SELECT *, coalesce(n_unit, 'the base unit') AS n_unit_or_base FROM merged OFFSET 0)
SELECT
    row_no, item_no, stock_point,
    problem IS NULL AND on_hand IS NOT NULL AS stocks, problem IS NULL AND prices AS prices,
    new_item AND problem IS NULL AS new_item, variant_key, brand, problem,
    problem IS NULL AND NOT new_item AND brand IS DISTINCT FROM item_brand AND brand IS NOT NULL AS new_brand,
    offer_id, offer_code IS NULL AND offer_id IS NULL AND code = 'default' AS code_is_ours, code, point,
    counted, coalesce(as_of, s_as_of_kept, %(received_at)s) AS as_of,
    problem IS NULL AND on_hand IS NOT NULL AND (
        s_on_hand IS NULL OR coalesce(as_of > s_as_of, false) OR (s_on_hand - s_shortfall) <> counted
    ) AS new_count,
    f_price, f_currency, f_tax_rate, f_tax_inclusive, n_unit AS f_unit, f_unit_factor, f_unit_decimals, f_min, f_step,
    f_lead, f_regions, f_from, f_until, f_audience, f_ids, f_keys, f_standard, f_freight, f_certificates, f_epd,
    problem IS NULL AND prices AND (
        offer_id IS NULL OR f_price <> o_price OR f_currency <> o_currency OR f_tax_rate <> o_tax_rate
        OR f_tax_inclusive <> o_tax_inclusive OR n_unit <> o_unit OR f_min IS DISTINCT FROM o_min
        OR f_step IS DISTINCT FROM o_step OR f_lead <> o_lead OR f_regions <> o_regions OR f_from <> o_from
        OR f_until IS DISTINCT FROM o_until OR f_audience <> o_audience OR point IS DISTINCT FROM o_point
        OR f_standard IS DISTINCT FROM o_standard OR f_freight IS DISTINCT FROM o_freight
        OR f_certificates IS DISTINCT FROM o_certificates OR f_epd IS DISTINCT FROM o_epd
    ) AS new_terms,
    standard <> '' AS said_standard, false AS count_superseded, false AS terms_superseded
FROM (
    SELECT
        m.*, {_PROBLEM} AS problem,
        CASE WHEN as_of IS NULL AND (s_on_hand - s_shortfall) = counted THEN s_as_of END AS s_as_of_kept,
        coalesce(price, o_price) AS f_price,
        coalesce(currency, o_currency, 'CNY') AS f_currency,
        coalesce(tax_rate, o_tax_rate) AS f_tax_rate,
        coalesce(tax_inclusive, o_tax_inclusive) AS f_tax_inclusive,
        factor AS f_unit_factor,
        decimals AS f_unit_decimals,
        coalesce(min_quantity, o_min) AS f_min,
        coalesce(step_quantity, o_step) AS f_step,
        coalesce(lead_time_days, o_lead, 0) AS f_lead,
        CASE WHEN regions IS NULL THEN coalesce(o_regions, '{{}}') ELSE (
            SELECT coalesce(array_agg(region ORDER BY place), '{{}}')
            FROM (
                SELECT region, min(place) AS place FROM unnest(regions) WITH ORDINALITY AS each (region, place)
                GROUP BY region
            ) AS once
        ) END AS f_regions,
        coalesce(valid_from, o_from, %(on)s) AS f_from,
        coalesce(valid_until, o_until) AS f_until,
        coalesce(audience, o_audience, 'MEMBERS') AS f_audience,
        nullif(coalesce(standard, o_standard), '') AS f_standard,
        nullif(coalesce(freight, o_freight), '[]') AS f_freight,
        nullif(coalesce(certificates, o_certificates), '[]') AS f_certificates,
        nullif(coalesce(epd, o_epd), 'null') AS f_epd,
        CASE WHEN audience IS NULL OR audience = o_audience THEN coalesce(o_ids, '{{}}') ELSE '{{}}' END AS f_ids,
        coalesce((
            SELECT keys FROM offer_reaches r
            WHERE r.supplier_id = %(supplier_id)s AND r.category = m.category
              AND r.audience = coalesce(m.audience, o_audience, 'MEMBERS')
              AND r.audience_ids = CASE WHEN m.audience IS NULL OR m.audience = o_audience
                  THEN coalesce(o_ids, '{{}}') ELSE '{{}}' END
            LIMIT 1
        ), ARRAY['company:' || %(supplier_id)s]) AS f_keys
    FROM named m
    OFFSET 0
) AS judged
"""
