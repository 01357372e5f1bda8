"""An installation with data is upgraded: its offers stay exactly as visible as they were."""

from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from alembic.config import Config

from infra.postgres import ServiceUrls, prepare
from services.suppliers.spaces.rules import CARRIED_OVER
from shared.history import first_broken
from shared.ids import new_id
from tests.conftest import ROOT, TestServer

QUALIFIED, REGISTERED = new_id(), new_id()
GROUP, PARTY = new_id(), new_id()

_BEFORE = """
    INSERT INTO suppliers VALUES
        (%(qualified)s, '甲', 'A', 'QUALIFIED', '{rebar}', '{}', NULL, 2, now(), now()),
        (%(registered)s, '乙', 'B', 'REGISTERED', '{}', '{}', NULL, 1, now(), now());
    INSERT INTO items
    SELECT s, 'I-1', uuidv7(), uuidv7(), 'RB|x=1', 'RB', 'rebar', '钢', 'steel', NULL, 't', 3, 'PUBLISHED', now()
    FROM unnest(ARRAY[%(qualified)s, %(registered)s]) AS s;
    INSERT INTO offers (
        supplier_id, id, item_no, offer_code, price, currency, tax_inclusive, tax_rate, unit, unit_factor,
        unit_decimals, lead_time_days, regions, valid_from, audience, audience_ids, audience_keys, tiers, status,
        version, updated_at
    )
    SELECT s, uuidv7(), 'I-1', audience, 1, 'CNY', true, 0.13, 't', 1, 3, 0, '{}', '2026-01-01', audience, ids,
        ARRAY['company:' || s] || keys, '[]', 'ACTIVE', 1, now()
    FROM unnest(ARRAY[%(qualified)s, %(registered)s]) AS s
    CROSS JOIN (VALUES
        ('MEMBERS', CAST('{}' AS uuid[]), ARRAY['members']),
        ('PUBLIC', ARRAY[%(group)s], ARRAY['members', 'public']),
        ('ORG', ARRAY[%(group)s, %(group)s], ARRAY['group:' || %(group)s]),
        ('PARTIES', ARRAY[%(party)s], ARRAY['company:' || %(party)s])
    ) AS meant (audience, ids, keys)
"""


@pytest.fixture
def upgraded(postgres: TestServer) -> Iterator[ServiceUrls]:
    """A database of the release before, with data, migrated to this one."""
    name = f"upgrade_suppliers_{new_id().hex[-8:]}"
    urls = postgres.service_urls("suppliers", name)
    prepare(postgres.admin_url, urls)
    config = Config(str(ROOT / "alembic.ini"), ini_section="suppliers")
    config.set_main_option("script_location", str(ROOT / "services" / "suppliers" / "migrations"))
    config.set_main_option("sqlalchemy.url", urls.owner.replace("%", "%%"))
    command.upgrade(config, "0003")
    with psycopg.connect(urls.worker) as connection:
        names = {"qualified": QUALIFIED, "registered": REGISTERED, "group": GROUP, "party": PARTY}
        with psycopg.ClientCursor(connection) as cursor:
            cursor.execute(_BEFORE.encode(), names)
    command.upgrade(config, "head")
    yield urls
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _seen(urls: ServiceUrls, *keys: str) -> list[str]:
    """The audiences of the qualified supplier's offers that the app's role shows to one who holds these keys."""
    with psycopg.connect(urls.app) as connection:
        connection.execute("SELECT set_config('app.viewer_keys', %s, true)", [",".join(keys)])
        query = "SELECT audience FROM offers WHERE supplier_id = %s ORDER BY audience"
        return [row[0] for row in connection.execute(query, [QUALIFIED])]


def test_offers_of_who_could_sell_stay_as_visible_as_they_were(upgraded: ServiceUrls):
    assert _seen(upgraded, "public") == ["PUBLIC"]
    assert _seen(upgraded, "public", "members") == ["MEMBERS", "PUBLIC"]
    assert _seen(upgraded, f"group:{GROUP}") == ["ORG"]
    assert _seen(upgraded, f"company:{PARTY}") == ["PARTIES"]
    with psycopg.connect(upgraded.worker) as connection:
        drifted = connection.execute(
            "SELECT count(*) FROM offers o JOIN items i USING (supplier_id, item_no) "
            "LEFT JOIN offer_reaches r ON r.supplier_id = o.supplier_id AND r.category = i.category "
            "AND r.audience = o.audience AND r.audience_ids = o.audience_ids "
            "WHERE o.supplier_id = %s AND o.audience_keys IS DISTINCT FROM r.keys",
            [QUALIFIED],
        ).fetchone()
        assert drifted == (0,), "so nothing is written anew"
        waiting = connection.execute("SELECT supplier_id, category, narrows FROM rekeyings").fetchall()
        assert waiting == [(REGISTERED, "rebar", True)], "whom nobody may buy from yet"


def test_what_was_carried_over_is_an_admission_with_a_history(upgraded: ServiceUrls):
    with psycopg.connect(upgraded.worker) as connection:
        admissions = connection.execute("SELECT group_id, supplier_id, category, status FROM admissions").fetchall()
        assert admissions == [(CARRIED_OVER, QUALIFIED, "rebar", "ADMITTED")]
        entries = connection.execute("SELECT entry, hash FROM admission_history").fetchall()
        assert [entry["decision"] for entry, _ in entries] == ["carried over"]
        assert first_broken((entry, bytes(hashed)) for entry, hashed in entries) is None
        spaces = connection.execute("SELECT group_id, category, stage FROM known_spaces").fetchall()
        assert spaces == [(CARRIED_OVER, "rebar", "S3")]
