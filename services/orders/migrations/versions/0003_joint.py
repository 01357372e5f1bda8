"""Stages and circles as `members` tells them; joint purchasing notices.

Beside the tables this sets row level security: a notice is seen by its parties, its lines and history by who sees it, a
group's participation and quantities by itself alone; a group sees its own stages and the circles it stands in. An ended
notice stays ended (trigger), and history only grows.
"""

from alembic import op

from shared.walls import append_only, row_security

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SPACES = [
    """
    CREATE TABLE seen_stages (
        group_id uuid NOT NULL,
        category text NOT NULL,
        stage text NOT NULL,
        circle_id uuid,
        told_at timestamptz NOT NULL,
        CONSTRAINT pk_seen_stages PRIMARY KEY (group_id, category),
        CONSTRAINT ck_seen_stages_stage CHECK (stage IN ('S1', 'S2', 'S3')),
        CONSTRAINT ck_seen_stages_circle CHECK ((stage = 'S2') = (circle_id IS NOT NULL))
    )""",
    """
    CREATE TABLE seen_circles (
        circle_id uuid NOT NULL,
        name text NOT NULL,
        group_ids uuid[] NOT NULL,
        told_at timestamptz NOT NULL,
        CONSTRAINT pk_seen_circles PRIMARY KEY (circle_id)
    )""",
    "CREATE INDEX ix_seen_circles_group_ids ON seen_circles USING gin (group_ids)",
]

_NOTICES = """
    CREATE TABLE joint_notices (
        group_id uuid NOT NULL,
        id uuid NOT NULL,
        category text NOT NULL,
        stage text NOT NULL,
        circle_id uuid NOT NULL,
        audience_keys text[] NOT NULL,
        party_ids uuid[] NOT NULL,
        title text NOT NULL,
        note text,
        region text NOT NULL,
        month date NOT NULL,
        closes_at timestamptz NOT NULL,
        status text NOT NULL,
        participants integer NOT NULL,
        opened_by uuid NOT NULL,
        opened_at timestamptz NOT NULL,
        ended_at timestamptz,
        cancel_reason text,
        result jsonb,
        version integer NOT NULL,
        history_length integer NOT NULL,
        history_hash bytea,
        CONSTRAINT pk_joint_notices PRIMARY KEY (group_id, id),
        CONSTRAINT ck_joint_notices_status CHECK (status IN ('OPEN', 'CLOSED', 'CANCELLED')),
        CONSTRAINT ck_joint_notices_ended CHECK ((status = 'OPEN') = (ended_at IS NULL)),
        CONSTRAINT ck_joint_notices_cancelled CHECK ((status = 'CANCELLED') = (cancel_reason IS NOT NULL)),
        CONSTRAINT ck_joint_notices_result CHECK ((status = 'CLOSED') = (result IS NOT NULL)),
        CONSTRAINT ck_joint_notices_never_at_s1 CHECK (stage IN ('S2', 'S3')),
        CONSTRAINT ck_joint_notices_region CHECK (region ~ '^[0-9]{2}([0-9]{4})?$'),
        CONSTRAINT ck_joint_notices_month CHECK (extract(day FROM month) = 1),
        CONSTRAINT ck_joint_notices_version CHECK (participants >= 0 AND version >= 1 AND history_length >= 1),
        CONSTRAINT ck_joint_notices_opener_is_party CHECK (group_id = ANY (party_ids))
    )"""

_PARTS = [
    """
    CREATE TABLE joint_lines (
        group_id uuid NOT NULL,
        notice_id uuid NOT NULL,
        line_no integer NOT NULL,
        type_code text NOT NULL,
        variant_key text,
        unit text NOT NULL,
        pooled numeric(18, 3) NOT NULL,
        groups integer NOT NULL,
        CONSTRAINT pk_joint_lines PRIMARY KEY (group_id, notice_id, line_no),
        CONSTRAINT fk_joint_lines_group_id_notice_id FOREIGN KEY (group_id, notice_id)
            REFERENCES joint_notices (group_id, id),
        CONSTRAINT ck_joint_lines_pool CHECK (pooled >= 0 AND groups >= 0 AND (pooled = 0) = (groups = 0))
    )""",
    """
    CREATE TABLE joint_participations (
        group_id uuid NOT NULL,
        notice_id uuid NOT NULL,
        status text NOT NULL,
        changed_by uuid NOT NULL,
        changed_at timestamptz NOT NULL,
        CONSTRAINT pk_joint_participations PRIMARY KEY (group_id, notice_id),
        CONSTRAINT ck_joint_participations_status CHECK (status IN ('JOINED', 'WITHDRAWN'))
    )""",
    """
    CREATE TABLE joint_quantities (
        group_id uuid NOT NULL,
        notice_id uuid NOT NULL,
        line_no integer NOT NULL,
        quantity numeric(18, 3) NOT NULL,
        CONSTRAINT pk_joint_quantities PRIMARY KEY (group_id, notice_id, line_no),
        CONSTRAINT fk_joint_quantities_group_id_notice_id FOREIGN KEY (group_id, notice_id)
            REFERENCES joint_participations (group_id, notice_id),
        CONSTRAINT ck_joint_quantities_quantity CHECK (quantity > 0)
    )""",
    """
    CREATE TABLE joint_history (
        group_id uuid NOT NULL,
        notice_id uuid NOT NULL,
        seq integer NOT NULL,
        entry jsonb NOT NULL,
        hash bytea NOT NULL,
        CONSTRAINT pk_joint_history PRIMARY KEY (group_id, notice_id, seq),
        CONSTRAINT fk_joint_history_group_id_notice_id FOREIGN KEY (group_id, notice_id)
            REFERENCES joint_notices (group_id, id)
    )""",
]

_INDEXES = [
    "CREATE INDEX ix_joint_notices_audience_keys ON joint_notices USING gin (audience_keys)",
    "CREATE INDEX ix_joint_notices_circle_id ON joint_notices (circle_id)",
    "CREATE INDEX ix_joint_notices_due ON joint_notices (closes_at) WHERE status = 'OPEN'",
    "CREATE INDEX ix_joint_participations_notice_id ON joint_participations (notice_id)",
]

_ENDED_STAYS_ENDED = [
    """
    CREATE FUNCTION guard_joint_notice() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.status <> 'OPEN' AND (NEW.status <> OLD.status OR NEW.result IS DISTINCT FROM OLD.result
            OR NEW.participants <> OLD.participants) THEN
            RAISE EXCEPTION 'an ended notice does not change' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$""",
    "CREATE TRIGGER guard BEFORE UPDATE ON joint_notices FOR EACH ROW EXECUTE FUNCTION guard_joint_notice()",
]

_IN_SCOPE = "(SELECT string_to_array(nullif(current_setting('app.companies', true), ''), ',')::uuid[])::uuid[]"


def _forced(table: str) -> list[str]:
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
    ]


def _among(table: str, column: str) -> list[str]:
    seen = f"{column} && {_IN_SCOPE}"
    return [*_forced(table), f"CREATE POLICY parties ON {table} USING ({seen}) WITH CHECK ({seen})"]


def _seen_with_the_notice(table: str) -> list[str]:
    seen = f"EXISTS (SELECT FROM joint_notices n WHERE n.group_id = {table}.group_id AND n.id = {table}.notice_id)"
    return [*_forced(table), f"CREATE POLICY notice ON {table} USING ({seen}) WITH CHECK ({seen})"]


def upgrade() -> None:
    statements = [
        *_SPACES,
        _NOTICES,
        *_PARTS,
        *_INDEXES,
        *_ENDED_STAYS_ENDED,
        *append_only("joint_history", service="orders"),
        "REVOKE DELETE, TRUNCATE ON joint_notices, joint_lines, joint_participations FROM orders_app, orders_worker",
        *row_security("seen_stages", "group_id"),
        *_among("seen_circles", "group_ids"),
        *_among("joint_notices", "party_ids"),
        *_seen_with_the_notice("joint_lines"),
        *_seen_with_the_notice("joint_history"),
        *row_security("joint_participations", "group_id"),
        *row_security("joint_quantities", "group_id"),
    ]
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    """What groups bought together is history; it is not dropped."""
    raise NotImplementedError
