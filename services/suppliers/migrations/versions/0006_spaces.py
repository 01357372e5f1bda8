"""Spaces, admissions and consents: how far a supplier's offers reach beyond itself.

An installation with data keeps its offers as visible as they are: each supplier that is qualified (or suspended, whose
suspension may be lifted) is admitted for its categories by nobody's group, whose spaces are open markets
(`spaces.rules.CARRIED_OVER`, decision 0016). Operators end these admissions once the groups' own are in place.

Beside the tables this sets:

- row level security: an admission is its group's and its supplier's, reaches and consents are the supplier's; what
  `members` tells of stages, circles and groups is for the system role alone;
- the wall around offers: who holds a key that the offer carries must hold one of its reach as well, so what was
  narrowed is closed before the offers' own keys are written anew;
- a trigger that lets an admission move only along its legal moves.
"""

from datetime import UTC, datetime
from typing import Any

import orjson
from alembic import op
from sqlalchemy import Connection, text

from shared.history import chain_hash
from shared.ids import new_id
from shared.walls import append_only, row_security

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KNOWN = (
    """
    CREATE TABLE known_spaces (
        group_id uuid NOT NULL,
        category text NOT NULL,
        stage text NOT NULL,
        circle_id uuid,
        CONSTRAINT pk_known_spaces PRIMARY KEY (group_id, category),
        CONSTRAINT ck_known_spaces_stage CHECK (stage IN ('S1', 'S2', 'S3'))
    )""",
    "CREATE INDEX ix_known_spaces_circle_id ON known_spaces (circle_id)",
    """
    CREATE TABLE known_circles (
        id uuid NOT NULL,
        group_ids uuid[] NOT NULL,
        CONSTRAINT pk_known_circles PRIMARY KEY (id)
    )""",
    """
    CREATE TABLE known_links (
        id uuid NOT NULL,
        child_id uuid NOT NULL,
        parent_id uuid NOT NULL,
        valid_from date NOT NULL,
        valid_until date,
        CONSTRAINT pk_known_links PRIMARY KEY (id)
    )""",
    "CREATE INDEX ix_known_links_child_id ON known_links (child_id)",
)

_REACHES = (
    """
    CREATE TABLE supplier_spaces (
        supplier_id uuid NOT NULL,
        category text NOT NULL,
        group_id uuid NOT NULL,
        stage text NOT NULL,
        circle_id uuid,
        circle_group_ids uuid[] NOT NULL,
        CONSTRAINT pk_supplier_spaces PRIMARY KEY (supplier_id, category, group_id),
        CONSTRAINT ck_supplier_spaces_stage CHECK (stage IN ('S1', 'S2', 'S3'))
    )""",
    """
    CREATE TABLE offer_reaches (
        supplier_id uuid NOT NULL,
        category text NOT NULL,
        audience text NOT NULL,
        audience_ids uuid[] NOT NULL,
        keys text[] NOT NULL,
        CONSTRAINT pk_offer_reaches PRIMARY KEY (supplier_id, category, audience, audience_ids),
        CONSTRAINT ck_offer_reaches_audience
            CHECK (audience IN ('PARTIES', 'ORG', 'CIRCLE', 'MEMBERS', 'PUBLIC'))
    )""",
    """
    CREATE TABLE rekeyings (
        supplier_id uuid NOT NULL,
        category text NOT NULL,
        narrows boolean NOT NULL,
        after_item text NOT NULL,
        requested integer NOT NULL,
        requested_at timestamptz NOT NULL,
        CONSTRAINT pk_rekeyings PRIMARY KEY (supplier_id, category)
    )""",
    "CREATE INDEX ix_rekeyings_next ON rekeyings (narrows DESC, requested_at)",
)

_ADMISSIONS = (
    """
    CREATE TABLE admissions (
        group_id uuid NOT NULL,
        id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        category text NOT NULL,
        space_group_id uuid NOT NULL,
        status text NOT NULL,
        level text,
        grade text,
        evidence jsonb NOT NULL,
        until date,
        relies_on_id uuid,
        relies_on_group_id uuid,
        relies_on_date date,
        consent_id uuid,
        on_behalf boolean NOT NULL,
        decided_on date NOT NULL,
        version integer NOT NULL,
        history_length integer NOT NULL,
        history_hash bytea,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_admissions PRIMARY KEY (group_id, id),
        CONSTRAINT ck_admissions_status CHECK (status IN ('ADMITTED', 'SUSPENDED', 'LAPSED', 'ENDED')),
        CONSTRAINT ck_admissions_evidence CHECK (jsonb_typeof(evidence) = 'array'),
        CONSTRAINT ck_admissions_relies_on
            CHECK (num_nonnulls(relies_on_id, relies_on_group_id, relies_on_date, consent_id) IN (0, 4)),
        CONSTRAINT ck_admissions_version CHECK (version >= 1 AND history_length >= 1)
    )""",
    (
        "CREATE UNIQUE INDEX ix_admissions_standing ON admissions (group_id, supplier_id, category) "
        "WHERE status <> 'ENDED'"
    ),
    "CREATE INDEX ix_admissions_admitted ON admissions (supplier_id, category) WHERE status = 'ADMITTED'",
    "CREATE INDEX ix_admissions_space ON admissions (space_group_id, category) WHERE status = 'ADMITTED'",
    "CREATE INDEX ix_admissions_last_day ON admissions (until) WHERE status = 'ADMITTED'",
    """
    CREATE TABLE admission_history (
        group_id uuid NOT NULL,
        admission_id uuid NOT NULL,
        number integer NOT NULL,
        supplier_id uuid NOT NULL,
        entry jsonb NOT NULL,
        hash bytea NOT NULL,
        decided_at timestamptz NOT NULL,
        CONSTRAINT pk_admission_history PRIMARY KEY (group_id, admission_id, number),
        CONSTRAINT fk_admission_history_group_id_admission_id FOREIGN KEY (group_id, admission_id)
            REFERENCES admissions (group_id, id)
    )""",
    """
    CREATE FUNCTION admission_moves_legally() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (OLD.status = 'ENDED' OR (NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
            ('SUSPENDED', 'ADMITTED'), ('LAPSED', 'ADMITTED'), ('ADMITTED', 'SUSPENDED'), ('ADMITTED', 'LAPSED'),
            ('ADMITTED', 'ENDED'), ('SUSPENDED', 'ENDED'), ('LAPSED', 'ENDED')
        ))) THEN
            RAISE EXCEPTION 'admission cannot go from % to %', OLD.status, NEW.status
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER legal_moves BEFORE UPDATE ON admissions
        FOR EACH ROW EXECUTE FUNCTION admission_moves_legally()""",
)

_CONSENTS = (
    """
    CREATE TABLE consents (
        supplier_id uuid NOT NULL,
        id uuid NOT NULL,
        what text[] NOT NULL,
        audience text NOT NULL,
        to_id uuid,
        until date NOT NULL,
        recorded_at timestamptz NOT NULL,
        recorded_by uuid NOT NULL,
        revoked_at timestamptz,
        revoked_by uuid,
        history_length integer NOT NULL,
        history_hash bytea,
        CONSTRAINT pk_consents PRIMARY KEY (supplier_id, id),
        CONSTRAINT ck_consents_what CHECK (cardinality(what) > 0 AND what <@ ARRAY[
            'profile', 'qualification_documents', 'qualification_decision', 'evaluation']),
        CONSTRAINT ck_consents_audience CHECK (audience IN ('ORG', 'CIRCLE', 'MEMBERS')),
        CONSTRAINT ck_consents_to_whom CHECK ((audience = 'MEMBERS') = (to_id IS NULL)),
        CONSTRAINT ck_consents_history CHECK (history_length >= 1)
    )""",
    "CREATE UNIQUE INDEX ix_consents_id ON consents (id)",
    """
    CREATE TABLE consent_history (
        supplier_id uuid NOT NULL,
        consent_id uuid NOT NULL,
        number integer NOT NULL,
        entry jsonb NOT NULL,
        hash bytea NOT NULL,
        at timestamptz NOT NULL,
        CONSTRAINT pk_consent_history PRIMARY KEY (supplier_id, consent_id, number),
        CONSTRAINT fk_consent_history_supplier_id_consent_id FOREIGN KEY (supplier_id, consent_id)
            REFERENCES consents (supplier_id, id)
    )""",
    """
    CREATE FUNCTION consent_says_what_was_recorded() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (OLD.what, OLD.audience, OLD.to_id, OLD.until, OLD.recorded_at)
            IS DISTINCT FROM (NEW.what, NEW.audience, NEW.to_id, NEW.until, NEW.recorded_at)
            OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at)
        THEN
            RAISE EXCEPTION 'a consent is not changed, only revoked' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER says_what_was_recorded BEFORE UPDATE ON consents
        FOR EACH ROW EXECUTE FUNCTION consent_says_what_was_recorded()""",
)

_OFFER_IS_OPEN = """
    CREATE FUNCTION offer_is_open(
        supplier uuid, item text, its_audience text, its_ids uuid[], viewer text[]
    ) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT EXISTS (
            SELECT FROM items i
            JOIN offer_reaches r ON r.supplier_id = i.supplier_id AND r.category = i.category
                AND r.audience = its_audience AND r.audience_ids = its_ids
            WHERE i.supplier_id = supplier AND i.item_no = item AND r.keys && viewer
        )
    $$"""
"""Run as the owner, who is bound by row level security like everybody: the two policies named `wall` let it look."""

_VIEWER = "(SELECT string_to_array(nullif(current_setting('app.viewer_keys', true), ''), ','))"
_OFFER_AUDIENCE = (
    "DROP POLICY audience ON offers",
    "CREATE POLICY wall ON items FOR SELECT TO CURRENT_USER USING (true)",
    "CREATE POLICY wall ON offer_reaches FOR SELECT TO CURRENT_USER USING (true)",
    f"""
    CREATE POLICY audience ON offers FOR SELECT USING (
        audience_keys && {_VIEWER} AND offer_is_open(supplier_id, item_no, audience, audience_ids, {_VIEWER})
    )""",
)

_WALLS = (
    "REVOKE ALL ON known_circles, known_links, rekeyings FROM suppliers_app",
    "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON known_spaces FROM suppliers_app",
    *row_security("known_spaces", "group_id"),
    ("REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON supplier_spaces, admissions, admission_history FROM suppliers_app"),
    "REVOKE UPDATE, DELETE, TRUNCATE ON offer_reaches FROM suppliers_app",
    *row_security("supplier_spaces", "supplier_id"),
    *row_security("offer_reaches", "supplier_id"),
    *row_security("admissions", "group_id", "supplier_id"),
    *row_security("admission_history", "group_id"),
    *append_only("admission_history", service="suppliers"),
    "REVOKE DELETE, TRUNCATE ON consents FROM suppliers_app, suppliers_worker",
    *row_security("consents", "supplier_id"),
    *row_security("consent_history", "supplier_id"),
    *append_only("consent_history", service="suppliers"),
)

_NOBODYS_GROUP = "00000000-0000-0000-0000-000000000000"

_CARRY_OVER = (
    # The owner of a table with forced row level security sees no row of it; for this transaction it does.
    "ALTER TABLE offers NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE items NO FORCE ROW LEVEL SECURITY",
    """
    UPDATE offers SET audience_ids = CASE
        WHEN audience IN ('MEMBERS', 'PUBLIC') THEN '{}'
        ELSE (SELECT coalesce(array_agg(DISTINCT each ORDER BY each), '{}') FROM unnest(audience_ids) AS each)
    END
    WHERE cardinality(audience_ids) > 0""",
    """
    INSERT INTO offer_reaches (supplier_id, category, audience, audience_ids, keys)
    SELECT DISTINCT ON (o.supplier_id, i.category, o.audience, o.audience_ids)
        o.supplier_id, i.category, o.audience, o.audience_ids, o.audience_keys
    FROM offers o JOIN items i ON i.supplier_id = o.supplier_id AND i.item_no = o.item_no
    ORDER BY o.supplier_id, i.category, o.audience, o.audience_ids
    ON CONFLICT DO NOTHING""",
    """
    INSERT INTO offer_reaches (supplier_id, category, audience, audience_ids, keys)
    SELECT supplier_id, category, audience, '{}', CASE WHEN audience = 'PUBLIC'
        THEN ARRAY['company:' || supplier_id, 'members', 'public'] ELSE ARRAY['company:' || supplier_id, 'members'] END
    FROM supplier_spaces CROSS JOIN unnest(ARRAY['MEMBERS', 'PUBLIC']) AS audience
    ON CONFLICT DO NOTHING""",
    # What nobody is admitted for reaches its supplier and the parties it names; the worker writes the offers' keys.
    """
    UPDATE offer_reaches r SET keys = ARRAY['company:' || r.supplier_id]
    WHERE audience <> 'PARTIES' AND NOT EXISTS (
        SELECT FROM supplier_spaces s WHERE s.supplier_id = r.supplier_id AND s.category = r.category
    )""",
    """
    INSERT INTO rekeyings (supplier_id, category, narrows, after_item, requested, requested_at)
    SELECT DISTINCT supplier_id, category, true, '', 1, now() FROM offer_reaches r
    WHERE NOT EXISTS (
        SELECT FROM supplier_spaces s WHERE s.supplier_id = r.supplier_id AND s.category = r.category
    )""",
    "ALTER TABLE offers FORCE ROW LEVEL SECURITY",
    "ALTER TABLE items FORCE ROW LEVEL SECURITY",
)


def _admit_the_qualified(connection: Connection) -> None:
    """One admission by nobody's group for each category of each supplier that may sell, with its history."""
    at = datetime.now(UTC)
    rows = connection.execute(
        text(
            "SELECT company_id, unnest(categories) AS category FROM suppliers "
            "WHERE status IN ('QUALIFIED', 'SUSPENDED') ORDER BY 1, 2"
        )
    ).all()
    made: list[dict[str, Any]] = []
    for row in rows:
        admission_id = new_id()
        entry = {
            "admission_id": str(admission_id),
            "number": 1,
            "decision": "carried over",
            "reason": "The supplier was qualified before there were admissions; its offers stay as visible as they were.",
            "by": "migration 0004",
            "at": at.isoformat(),
            "group_id": _NOBODYS_GROUP,
            "supplier_id": str(row.company_id),
            "category": row.category,
            "status": "ADMITTED",
        }
        made.append(
            {
                "group_id": _NOBODYS_GROUP,
                "id": admission_id,
                "supplier_id": row.company_id,
                "category": row.category,
                "entry": entry,
                "hash": chain_hash(None, entry),
                "at": at,
            }
        )
    for each in made:
        _keep(connection, each)


def _keep(connection: Connection, made: dict[str, Any]) -> None:
    connection.execute(
        text("INSERT INTO known_spaces VALUES (:group_id, :category, 'S3', NULL) ON CONFLICT DO NOTHING"),
        made,
    )
    connection.execute(
        text(
            "INSERT INTO admissions VALUES (:group_id, :id, :supplier_id, :category, :group_id, 'ADMITTED', NULL, NULL, "
            "'[]', NULL, NULL, NULL, NULL, NULL, true, CAST(:at AS date), 1, 1, :hash, :at, :at)"
        ),
        made,
    )
    connection.execute(
        text(
            "INSERT INTO admission_history VALUES (:group_id, :id, 1, :supplier_id, CAST(:entry AS jsonb), :hash, :at)"
        ),
        {**made, "entry": orjson.dumps(made["entry"]).decode()},
    )
    connection.execute(
        text("INSERT INTO supplier_spaces VALUES (:supplier_id, :category, :group_id, 'S3', NULL, '{}')"), made
    )


def upgrade() -> None:
    for statement in (*_KNOWN, *_REACHES, *_ADMISSIONS, *_CONSENTS):
        op.execute(statement)
    _admit_the_qualified(op.get_bind())
    for statement in (*_CARRY_OVER, *_WALLS, _OFFER_IS_OPEN, *_OFFER_AUDIENCE):
        op.execute(statement)


def downgrade() -> None:
    message = "Who was admitted by whom would be lost; there is no way back."
    raise NotImplementedError(message)
