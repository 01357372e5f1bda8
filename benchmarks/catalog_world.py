"""A large catalog for the search: variants of every type, offers of two thousand suppliers; the same every time.

Variants are made by the product's own rules out of the published types, by a generator with a fixed seed. Offers are
made set-based in the database: what each is, costs and shows follows from its number alone.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from uuid import UUID

import orjson
import psycopg
from psycopg import sql

from benchmarks.sizes_made import ALONE, BESIDE, atlas_mark, round_step
from services.catalog.carbon.tables import CarbonFactorOfType
from services.catalog.components.definitions import definition_of
from services.catalog.components.rules import Kind, Property, TypeDefinition, canonical_number
from services.catalog.components.variants import Draft, drafted
from services.catalog.search.documents import variant_tokens
from shared.quantity import Unit

SEED = 20_270_101
OFFERS_PER_VARIANT = 5
_TRIES = 12
"""Draws for each variant wanted of a type, before the type counts as exhausted."""
_AT = "2026-01-01T00:00:00+00:00"
_FEW = 400
"""Marks come from so many: shops list what others list too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """How large."""

    variants: int
    suppliers: int

    @property
    def offers(self) -> int:
        return self.variants * OFFERS_PER_VARIANT

    def times(self, share: float) -> "Scale":
        """The same world cut down, or grown."""
        return Scale(variants=round(self.variants * share), suppliers=max(20, round(self.suppliers * share)))


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeVariant:
    """A variant as benchmarks ask for it."""

    type_code: str
    values: Mapping[str, str]


def number_id(kind: int, number: int) -> UUID:
    """The id of the n-th thing of a kind: 1 variants, 2 suppliers, 3 offers."""
    return UUID(f"00000000-000{kind}-7000-8000-{number:012x}")


def definitions_in(url: str) -> dict[str, TypeDefinition]:
    """Every published type."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT code, version, content_hash, definition FROM component_types WHERE status = 'ACTIVE' ORDER BY code"
        ).fetchall()
    return {row[0]: definition_of(row[0], version=row[1], content_hash=row[2], definition=row[3]) for row in rows}


def choices(definitions: Mapping[str, TypeDefinition], *, wanted: int) -> Iterator[MadeVariant]:
    """Different variants, the types in turn, until there are enough or no type has more."""
    dice = random.Random(SEED)
    seen: dict[str, set[tuple[tuple[str, str], ...]]] = {code: set() for code in definitions}
    open_types, made = list(definitions), 0
    while open_types and made < wanted:
        for code in list(open_types):
            values = _fresh(definitions[code], seen[code], dice)
            if values is None:
                open_types.remove(code)
                continue
            made += 1
            yield MadeVariant(type_code=code, values=values)
            if made == wanted:
                return


def _fresh(
    definition: TypeDefinition, seen: set[tuple[tuple[str, str], ...]], dice: random.Random
) -> dict[str, str] | None:
    for _ in range(_TRIES):
        values = {each.key: _value(each, dice) for each in definition.identity if each.required or dice.random() < 0.7}
        for key, value in values.items():
            values[key] = _made(definition.code, key, values, dice) or value
        shape = tuple(sorted(values.items()))
        if shape not in seen:
            seen.add(shape)
            return dict(shape)
    return None


def _made(type_code: str, key: str, values: Mapping[str, str], dice: random.Random) -> str | None:
    """A text as plants make it, where it is one that they all make."""
    other, by_value = BESIDE.get((type_code, key), ("", {}))
    sizes = by_value.get(values.get(other, ""), ()) or ALONE.get((type_code, key), ())
    if sizes:
        return dice.choice(sizes)
    return atlas_mark(type_code, values, dice) if key == "type_mark" else None


def _value(each: Property, dice: random.Random) -> str:
    if each.allowed:
        return dice.choice(each.allowed)
    match each.kind:
        case Kind.BOOLEAN:
            return dice.choice(("true", "false"))
        case Kind.DATE:
            return f"2026-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}"
        case Kind.STRING:
            return _mark(dice)
    low = each.minimum if each.minimum is not None else Decimal(1)
    high = each.maximum if each.maximum is not None else low + 1000
    step = Decimal(str(round_step(float(high - low))))
    number = min(low + step * dice.randint(0, int((high - low) / step)), high)
    return canonical_number(number.to_integral_value() if each.kind is Kind.INTEGER else round(number, 1))


def _mark(dice: random.Random) -> str:
    return f"{dice.choice('ABCDEFGHKM')}{dice.randint(1, _FEW)}"


class CatalogWorld:
    """The tables of one catalog database, filled."""

    def __init__(self, url: str, scale: Scale) -> None:
        """`url` is the superuser's: the tables belong to the service and only it may write them."""
        self._url = url
        self._scale = scale
        self.variants: list[MadeVariant] = []

    def fill(self, *, open_to_all: bool = False) -> None:
        """Replace whatever the index holds; with `open_to_all` every member sees every offer."""
        definitions = definitions_in(self._url)
        with psycopg.connect(self._url) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute("TRUNCATE search_variants, search_offers, search_stock, search_suppliers")
            connection.execute("DELETE FROM variants WHERE id < '00000001-0000-0000-0000-000000000000'")
            self._copy_variants(connection, definitions)
            binds = {"suppliers": self._scale.suppliers, "offers": OFFERS_PER_VARIANT}
            for statement in (_SUPPLIERS, _OFFERS, _STOCK):
                connection.execute(statement, binds)
            if open_to_all:
                connection.execute("UPDATE search_offers SET audience_keys = '{members}'")
                connection.execute("UPDATE search_suppliers SET status = 'QUALIFIED'")
            connection.commit()
            connection.autocommit = True
            for name in ("variants", "search_variants", "search_offers", "search_stock", "search_suppliers"):
                connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(name)))
            connection.execute("CHECKPOINT")

    def _copy_variants(self, connection: psycopg.Connection, definitions: Mapping[str, TypeDefinition]) -> None:
        units, carbon = _units(connection), _carbon(connection)
        self.variants = list(choices(definitions, wanted=self._scale.variants))
        connection.execute("CREATE TEMP TABLE made (n integer, data jsonb) ON COMMIT DROP")
        with connection.cursor().copy("COPY made FROM STDIN") as copy:
            for number, made in enumerate(self.variants, 1):
                definition = definitions[made.type_code]
                factor = carbon.get(made.type_code)
                draft = drafted(definition, made.values, units=units, carbon=factor.as_rule if factor else None)
                tokens = variant_tokens(definition, made.values)
                copy.write_row((number, _row(number, draft, tokens)))
        connection.execute(_VARIANTS, {"at": _AT})
        connection.execute(_INDEXED)

    def size_per_offer(self) -> dict[str, float]:
        """Bytes on disk for each offer, by table with its indexes, and by index of the search."""
        with psycopg.connect(self._url) as connection:
            rows = connection.execute(
                """
                SELECT relname, CASE relkind WHEN 'r' THEN pg_table_size(oid) ELSE pg_relation_size(oid) END
                FROM pg_class WHERE relname ~ '^(ix_|pk_|uq_)?search_' AND relkind IN ('r', 'i') ORDER BY relname
                """
            ).fetchall()
        return {name: size / self._scale.offers for name, size in rows}


def _row(number: int, draft: Draft, tokens: frozenset[str]) -> str:
    return orjson.dumps({"id": number_id(1, number), **asdict(draft), "tokens": sorted(tokens)}, default=str).decode()


def _units(connection: psycopg.Connection) -> dict[str, Unit]:
    rows = connection.execute("SELECT code, name_zh, coalesce(unece, ''), dimension, decimals FROM units").fetchall()
    names = ("code", "name_zh", "unece", "dimension", "decimals")
    return {row[0]: Unit(**dict(zip(names, row, strict=True))) for row in rows}


def _carbon(connection: psycopg.Connection) -> dict[str, CarbonFactorOfType]:
    rows = connection.execute("SELECT type_code, unit, typical, low, high, source, confidence FROM carbon_factors")
    names = ("type_code", "unit", "typical", "low", "high", "source", "confidence")
    return {row[0]: CarbonFactorOfType(**dict(zip(names, row, strict=True))) for row in rows}


_VARIANTS = """
    INSERT INTO variants SELECT r.id, r.key, r.type_code, r.type_version, r.category, r.name_zh, r.name_en,
        r.properties, r.supply_mode, r.base_unit, r.base_decimals, r.unit_factors, r.unit_decimals, r.spec_hash,
        r.carbon, r.standards, %(at)s
    FROM made, jsonb_populate_record(NULL::variants, data) r ON CONFLICT (key) DO NOTHING"""

_INDEXED = """
    INSERT INTO search_variants (variant_id, variant_key, type_code, category, properties, unit_factors, carbon, tokens)
    SELECT v.id, v.key, v.type_code, v.category, v.properties, v.unit_factors, v.carbon,
        ARRAY(SELECT jsonb_array_elements_text(made.data -> 'tokens'))
    FROM made JOIN variants v ON v.key = made.data ->> 'key' ORDER BY v.id"""

_SUPPLIERS = """
    INSERT INTO search_suppliers (supplier_id, name, status, categories, regions, region_heads, seq)
    SELECT CAST('00000000-0002-7000-8000-' || lpad(to_hex(n), 12, '0') AS uuid), '基准供应商' || n,
        CASE WHEN n %% 50 = 0 THEN 'SUSPENDED' ELSE 'QUALIFIED' END,
        (SELECT array_agg(key) FROM categories),
        r.regions, r.regions,
        n
    FROM generate_series(1, %(suppliers)s) n, LATERAL (
        SELECT CASE WHEN n %% 3 = 0 THEN '{}'::text[]
            ELSE ARRAY[(ARRAY['11', '12', '13', '31', '32', '33', '44', '51'])[1 + n %% 8]] END AS regions
    ) r"""

_OFFERS = """
    INSERT INTO search_offers (
        supplier_id, offer_id, variant_id, item_no, type_code, category, brand, price, currency, tax_inclusive,
        tax_rate, unit, unit_factor, base_unit, min_quantity, step_quantity, lead_time_days, regions, region_heads,
        valid_from, valid_until, audience_keys, tier_from, tier_price, stock_point, standard, freight_heads,
        freight_price, certificates, epd, epd_kgco2e, epd_until, status, seq, price_seq
    )
    SELECT CAST('00000000-0002-7000-8000-' || lpad(to_hex(1 + h.a %% %(suppliers)s), 12, '0') AS uuid),
        CAST('00000000-0003-7000-8000-' || lpad(to_hex(o.n), 12, '0') AS uuid), o.id, 'I-' || o.n, o.type_code,
        o.category, '品牌' || h.b %% 40, p.price, 'CNY', h.b %% 4 > 0, 0.13, o.base_unit, 1, o.base_unit,
        CASE WHEN h.b %% 5 = 0 THEN 5 END, NULL, 1 + h.b %% 30, '{}', '{}', DATE '2026-01-01', DATE '2099-12-31',
        CASE h.a %% 10 WHEN 0 THEN ARRAY['public', 'members'] WHEN 1 THEN ARRAY['public', 'members']
            WHEN 2 THEN ARRAY['group:' || h.b %% 50] WHEN 3 THEN ARRAY['circle:' || h.b %% 500, 'circle:' || h.a %% 500]
            WHEN 4 THEN ARRAY['company:' || h.b %% 5000] ELSE ARRAY['members'] END,
        CASE WHEN h.a %% 2 = 0 THEN ARRAY[10, 60] ELSE '{}' END::numeric[],
        CASE WHEN h.a %% 2 = 0 THEN ARRAY[p.price * 0.99, p.price * 0.97] ELSE '{}' END::numeric[],
        'main', 'GB 1499.2-2024',
        CASE WHEN h.b %% 3 = 0 THEN ARRAY['11', '1101', '31'] ELSE '{}' END,
        CASE WHEN h.b %% 3 = 0 THEN ARRAY[p.price * 0.01, p.price * 0.008, p.price * 0.02] ELSE '{}' END::numeric[],
        CASE WHEN h.a %% 4 = 0 THEN jsonb_build_array(jsonb_build_object('kind', 'green_product', 'number', 'G' || o.n,
            'issuer', 'CTC', 'valid_until', NULL)) ELSE '[]' END,
        CASE WHEN h.e THEN jsonb_build_object('number', 'E' || o.n, 'programme', 'EPD China', 'kgco2e', '900',
            'valid_until', '2099-12-31') END,
        CASE WHEN h.e THEN 900 END, CASE WHEN h.e THEN DATE '2099-12-31' END, 'ACTIVE', o.n, o.n
    FROM (
        SELECT row_number() OVER (ORDER BY v.variant_id, k) AS n, v.variant_id AS id, v.type_code, v.category,
            one.base_unit, k
        FROM search_variants v JOIN variants one ON one.id = v.variant_id, generate_series(1, %(offers)s) k
    ) o, LATERAL (
        SELECT abs(hashint8(o.n * 7919)::bigint) AS a, abs(hashint8(o.n * 104729)::bigint) AS b,
            abs(hashtext(o.type_code)::bigint) AS t, hashint8(o.n) %% 10 = 0 AS e
    ) h, LATERAL (SELECT round(((10 + h.t %% 5000) * (0.8 + (h.b %% 400) / 1000.0))::numeric, 2) AS price) p"""

_STOCK = """
    INSERT INTO search_stock (supplier_id, item_no, stock_point, available, band, as_of, seq)
    SELECT supplier_id, item_no, 'main', CASE WHEN seq %% 9 = 0 THEN 0 ELSE seq %% 900 + 1 END,
        CASE WHEN seq %% 9 = 0 THEN 'out' WHEN seq %% 900 < 9 THEN 'low' ELSE 'in' END, now(), seq
    FROM search_offers"""
