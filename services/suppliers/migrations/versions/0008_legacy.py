"""Legacy supplier lists, what suppliers are known by, merges that can be undone, staged judgements.

Beside the tables this sets:

- an import, its rows, a group's relations and judgements are seen by the company that sent them and by its group alone;
- identities and merges are no company's data: the app reads them, operators' routes and jobs write them;
- a merge moves only along its legal moves and its history only grows; what a relation says is never rewritten.
"""

from alembic import op

from shared.importing.tables import import_schema
from shared.walls import append_only, row_security

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_IDENTITIES = """
    CREATE TABLE supplier_names (
        supplier_id uuid NOT NULL,
        id uuid NOT NULL DEFAULT uuidv7(),
        name text NOT NULL,
        name_key text NOT NULL,
        region text,
        bank_key text,
        registration_no text,
        source uuid,
        recorded_at timestamptz NOT NULL,
        ended_at timestamptz,
        CONSTRAINT pk_supplier_names PRIMARY KEY (supplier_id, id),
        CONSTRAINT ck_supplier_names_named CHECK (name <> '' AND name_key <> ''),
        CONSTRAINT ck_supplier_names_registration_no CHECK (registration_no ~ '^[0-9]{15}$'),
        CONSTRAINT ck_supplier_names_region CHECK (region ~ '^[0-9]{2}$')
    )"""

_MERGES = """
    CREATE TABLE supplier_merges (
        id uuid NOT NULL,
        survivor_id uuid NOT NULL,
        vanishing_id uuid NOT NULL,
        basis text NOT NULL,
        reason text NOT NULL,
        state text NOT NULL,
        before jsonb,
        proposed_by uuid NOT NULL,
        proposed_at timestamptz NOT NULL,
        decided_by uuid,
        decided_at timestamptz,
        undone_by uuid,
        undone_at timestamptz,
        version integer NOT NULL DEFAULT 1,
        CONSTRAINT pk_supplier_merges PRIMARY KEY (id),
        CONSTRAINT ck_supplier_merges_state CHECK (state IN ('PROPOSED', 'EFFECTIVE', 'REJECTED', 'UNDONE')),
        CONSTRAINT ck_supplier_merges_basis CHECK (basis IN ('SAME_USCC', 'SAME_REGISTRATION', 'NAME_REGION_BANK')),
        CONSTRAINT ck_supplier_merges_not_itself CHECK (survivor_id <> vanishing_id),
        CONSTRAINT ck_supplier_merges_two_people CHECK (decided_by <> proposed_by),
        CONSTRAINT ck_supplier_merges_decided CHECK ((state = 'PROPOSED') = (decided_by IS NULL)),
        CONSTRAINT ck_supplier_merges_undone CHECK ((state = 'UNDONE') = (undone_by IS NOT NULL))
    )"""

_MOVES = [
    """
    CREATE FUNCTION supplier_merges_move() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (OLD.id, OLD.survivor_id, OLD.vanishing_id, OLD.basis, OLD.proposed_by, OLD.proposed_at)
            IS DISTINCT FROM (NEW.id, NEW.survivor_id, NEW.vanishing_id, NEW.basis, NEW.proposed_by, NEW.proposed_at)
            OR (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
                ('PROPOSED', 'EFFECTIVE'), ('PROPOSED', 'REJECTED'), ('EFFECTIVE', 'UNDONE')
            )) THEN
            RAISE EXCEPTION 'a merge does not change like that' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$""",
    ("CREATE TRIGGER moves BEFORE UPDATE ON supplier_merges FOR EACH ROW EXECUTE FUNCTION supplier_merges_move()"),
]

_MERGE_HISTORY = """
    CREATE TABLE supplier_merge_history (
        merge_id uuid NOT NULL,
        number integer NOT NULL,
        entry jsonb NOT NULL,
        hash bytea NOT NULL,
        at timestamptz NOT NULL,
        CONSTRAINT pk_supplier_merge_history PRIMARY KEY (merge_id, number)
    )"""

_RELATIONS = """
    CREATE TABLE supplier_relations (
        group_id uuid NOT NULL,
        id uuid NOT NULL DEFAULT uuidv7(),
        company_id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        name text NOT NULL,
        category text,
        grade text,
        list_status text,
        bank text,
        contacts text,
        import_id uuid NOT NULL,
        row_no bigint NOT NULL,
        recorded_at timestamptz NOT NULL,
        ended_at timestamptz,
        ended_by uuid,
        CONSTRAINT pk_supplier_relations PRIMARY KEY (group_id, id),
        CONSTRAINT ck_supplier_relations_period CHECK (ended_at >= recorded_at),
        CONSTRAINT ck_supplier_relations_ended CHECK ((ended_by IS NULL) OR (ended_at IS NOT NULL))
    )"""

_JUDGEMENTS = """
    CREATE TABLE staged_judgements (
        group_id uuid NOT NULL,
        id uuid NOT NULL DEFAULT uuidv7(),
        company_id uuid NOT NULL,
        kind text NOT NULL,
        supplier_id uuid NOT NULL,
        judged_on date NOT NULL,
        dimension text,
        score numeric(6,2),
        level text,
        reason text,
        evidence text,
        expires_on date,
        import_id uuid NOT NULL,
        row_no bigint NOT NULL,
        recorded_at timestamptz NOT NULL,
        ended_at timestamptz,
        handed_over_at timestamptz,
        CONSTRAINT pk_staged_judgements PRIMARY KEY (group_id, id),
        CONSTRAINT ck_staged_judgements_kind CHECK (kind IN ('evaluation', 'blacklist')),
        CONSTRAINT ck_staged_judgements_evaluation CHECK (kind <> 'evaluation' OR num_nonnulls(dimension, score) = 2),
        CONSTRAINT ck_staged_judgements_score CHECK (score BETWEEN 0 AND 100),
        CONSTRAINT ck_staged_judgements_blacklist CHECK (
            kind <> 'blacklist' OR (num_nonnulls(level, reason, expires_on) = 3 AND expires_on >= judged_on)
        ),
        CONSTRAINT ck_staged_judgements_level CHECK (level IN ('no_invite', 'no_new_order', 'stop_delivery')),
        CONSTRAINT ck_staged_judgements_used_stays CHECK (ended_at IS NULL OR handed_over_at IS NULL)
    )"""

_INDEXES = [
    """
    CREATE UNIQUE INDEX uq_supplier_names_once
    ON supplier_names (supplier_id, name, region, bank_key, registration_no, source) NULLS NOT DISTINCT""",
    "CREATE INDEX ix_supplier_names_name_key ON supplier_names (name_key)",
    "CREATE INDEX ix_supplier_names_registration_no ON supplier_names (registration_no)",
    "CREATE INDEX ix_supplier_names_source ON supplier_names (source)",
    """
    CREATE UNIQUE INDEX uq_supplier_merges_vanishing ON supplier_merges (vanishing_id)
    WHERE state IN ('PROPOSED', 'EFFECTIVE')""",
    "CREATE INDEX ix_supplier_merges_survivor_id ON supplier_merges (survivor_id)",
    "CREATE UNIQUE INDEX uq_supplier_relations_current ON supplier_relations (group_id, supplier_id) WHERE ended_at IS NULL",
    "CREATE INDEX ix_supplier_relations_import ON supplier_relations (company_id, import_id)",
    "CREATE INDEX ix_staged_judgements_import ON staged_judgements (company_id, import_id)",
    """
    CREATE INDEX ix_staged_judgements_waiting ON staged_judgements (kind, group_id)
    WHERE handed_over_at IS NULL AND ended_at IS NULL""",
    """
    CREATE UNIQUE INDEX uq_staged_judgements_once
    ON staged_judgements (group_id, kind, supplier_id, judged_on, dimension, reason) NULLS NOT DISTINCT
    WHERE ended_at IS NULL""",
]

_GRANTS = [
    "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON supplier_names, supplier_merges FROM suppliers_app",
    "GRANT UPDATE (ended_at) ON supplier_names TO suppliers_app",
    "REVOKE UPDATE, DELETE, TRUNCATE ON supplier_relations, staged_judgements FROM suppliers_app, suppliers_worker",
    "GRANT UPDATE (ended_at, ended_by) ON supplier_relations TO suppliers_app, suppliers_worker",
    "GRANT UPDATE (ended_at, handed_over_at) ON staged_judgements TO suppliers_app, suppliers_worker",
    "REVOKE DELETE, TRUNCATE ON supplier_names, supplier_merges FROM suppliers_worker",
]


def upgrade() -> None:
    statements = [
        *import_schema("suppliers"),
        _IDENTITIES,
        _MERGES,
        *_MOVES,
        _MERGE_HISTORY,
        _RELATIONS,
        _JUDGEMENTS,
        *_INDEXES,
        *row_security("supplier_relations", "company_id", "group_id"),
        *row_security("staged_judgements", "company_id", "group_id"),
        *append_only("supplier_merge_history", service="suppliers"),
        *_GRANTS,
    ]
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    message = "What contractors brought from their legacy platforms would be lost; there is no way back."
    raise NotImplementedError(message)
