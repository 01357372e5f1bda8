"""Blacklists and scores.

Beside the tables this sets the walls: an owner's rows are its own; a supplier reads what is about itself, by number, by
id or by its legal representative; official entries are for all to read; the reduced forms open by audience keys.
"""

from alembic import op

from shared.walls import append_only, row_security

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_OFFICIAL = "00000000-0000-0000-0000-000000000000"

_BLACKLIST_ENTRIES = """
    CREATE TABLE blacklist_entries (
        owner_id uuid NOT NULL,
        id uuid NOT NULL,
        source text,
        subject_kind text NOT NULL,
        supplier_id uuid,
        tax_id text,
        representative_hash bytea,
        subject_name text NOT NULL,
        level text NOT NULL,
        reason_class text NOT NULL,
        reason text NOT NULL,
        evidence text,
        evidence_sha256 text,
        categories text[] NOT NULL,
        regions text[] NOT NULL,
        project_ids uuid[] NOT NULL,
        starts_on date NOT NULL,
        expires_on date NOT NULL,
        status text NOT NULL,
        listed_by uuid NOT NULL,
        listed_at timestamptz NOT NULL,
        lift_asked_by uuid,
        lifted_by uuid,
        lifted_at timestamptz,
        updated_at timestamptz NOT NULL,
        version integer NOT NULL,
        history_length integer NOT NULL,
        history_hash bytea,
        CONSTRAINT pk_blacklist_entries PRIMARY KEY (owner_id, id),
        CONSTRAINT ck_blacklist_entries_level CHECK (level IN ('NO_INVITE', 'NO_NEW_ORDER', 'STOP_DELIVERY')),
        CONSTRAINT ck_blacklist_entries_status CHECK (status IN ('ACTIVE', 'LIFTED', 'EXPIRED')),
        CONSTRAINT ck_blacklist_entries_days CHECK (expires_on >= starts_on),
        CONSTRAINT ck_blacklist_entries_official CHECK ((owner_id = '00000000-0000-0000-0000-000000000000') = (source IS NOT NULL)),
        CONSTRAINT ck_blacklist_entries_subject CHECK ((subject_kind = 'REPRESENTATIVE') = (representative_hash IS NOT NULL) AND (subject_kind = 'SUPPLIER') = (tax_id IS NOT NULL) AND (supplier_id IS NULL OR tax_id IS NOT NULL)),
        CONSTRAINT ck_blacklist_entries_reasoned CHECK (reason <> '' AND num_nonnulls(evidence, evidence_sha256) > 0),
        CONSTRAINT ck_blacklist_entries_lifted CHECK ((status = 'LIFTED') = (num_nonnulls(lifted_at, lifted_by) = 2)),
        CONSTRAINT ck_blacklist_entries_second_person CHECK (lifted_by <> lift_asked_by),
        CONSTRAINT ck_blacklist_entries_lift_asked CHECK (status <> 'LIFTED' OR lift_asked_by IS NOT NULL),
        CONSTRAINT ck_blacklist_entries_version CHECK (version >= 1 AND history_length >= 1)
    )"""

_BLACKLIST_PROPOSALS = """
    CREATE TABLE blacklist_proposals (
        owner_id uuid NOT NULL,
        entry_id uuid NOT NULL,
        id uuid NOT NULL,
        lift boolean NOT NULL,
        after jsonb,
        why text NOT NULL,
        status text NOT NULL,
        asked_by uuid NOT NULL,
        asked_at timestamptz NOT NULL,
        decided_by uuid,
        decided_at timestamptz,
        note text,
        CONSTRAINT pk_blacklist_proposals PRIMARY KEY (owner_id, entry_id, id),
        CONSTRAINT ck_blacklist_proposals_status CHECK (status IN ('PROPOSED', 'APPROVED', 'REJECTED')),
        CONSTRAINT ck_blacklist_proposals_decided CHECK ((status = 'PROPOSED') = (num_nonnulls(decided_by, decided_at) = 0)),
        CONSTRAINT ck_blacklist_proposals_second_person CHECK (decided_by <> asked_by),
        CONSTRAINT ck_blacklist_proposals_content CHECK (lift = (after IS NULL))
    )"""

_BLACKLIST_APPEALS = """
    CREATE TABLE blacklist_appeals (
        owner_id uuid NOT NULL,
        entry_id uuid NOT NULL,
        id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        text text NOT NULL,
        evidence text,
        status text NOT NULL,
        listed_by uuid NOT NULL,
        filed_by uuid NOT NULL,
        filed_at timestamptz NOT NULL,
        answer text,
        answered_by uuid,
        answered_at timestamptz,
        CONSTRAINT pk_blacklist_appeals PRIMARY KEY (owner_id, entry_id, id),
        CONSTRAINT ck_blacklist_appeals_status CHECK (status IN ('OPEN', 'GRANTED', 'DECLINED')),
        CONSTRAINT ck_blacklist_appeals_answered CHECK ((status = 'OPEN') = (num_nonnulls(answered_by, answered_at, answer) = 0)),
        CONSTRAINT ck_blacklist_appeals_another_person CHECK (answered_by <> listed_by AND answered_by <> filed_by)
    )"""

_BLACKLIST_NOTICES = """
    CREATE TABLE blacklist_notices (
        owner_id uuid NOT NULL,
        entry_id uuid NOT NULL,
        supplier_id uuid,
        tax_id text,
        subject_name text NOT NULL,
        reason_class text NOT NULL,
        source text,
        starts_on date NOT NULL,
        expires_on date NOT NULL,
        categories text[] NOT NULL,
        audience_keys text[] NOT NULL,
        CONSTRAINT pk_blacklist_notices PRIMARY KEY (owner_id, entry_id)
    )"""

_BLACKLIST_HISTORY = """
    CREATE TABLE blacklist_history (
        owner_id uuid NOT NULL,
        entry_id uuid NOT NULL,
        seq integer NOT NULL,
        entry jsonb NOT NULL,
        hash bytea NOT NULL,
        CONSTRAINT pk_blacklist_history PRIMARY KEY (owner_id, entry_id, seq)
    )"""

_BLACKLIST_VERSIONS = """
    CREATE TABLE blacklist_versions (
        owner_id uuid NOT NULL,
        version bigint NOT NULL,
        CONSTRAINT pk_blacklist_versions PRIMARY KEY (owner_id)
    )"""

_SCORE_INPUTS = """
    CREATE TABLE score_inputs (
        group_id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        category text NOT NULL,
        order_id uuid NOT NULL,
        buyer_id uuid NOT NULL,
        order_number text NOT NULL,
        placed_at timestamptz NOT NULL,
        placed_on date NOT NULL,
        answered_at timestamptz,
        weight_class smallint NOT NULL,
        lines jsonb NOT NULL,
        order_version integer NOT NULL,
        assessed_at timestamptz NOT NULL,
        excluded_at timestamptz,
        excluded_by uuid,
        excluded_reason text,
        CONSTRAINT pk_score_inputs PRIMARY KEY (group_id, supplier_id, category, order_id),
        CONSTRAINT ck_score_inputs_weight_class CHECK (weight_class BETWEEN 1 AND 5),
        CONSTRAINT ck_score_inputs_excluded CHECK (num_nonnulls(excluded_at, excluded_by, excluded_reason) IN (0, 3))
    )"""

_SCORE_DUE = """
    CREATE TABLE score_due (
        group_id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        category text NOT NULL,
        due_on date NOT NULL,
        CONSTRAINT pk_score_due PRIMARY KEY (group_id, supplier_id, category, due_on)
    )"""

_SCORES = """
    CREATE TABLE scores (
        group_id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        category text NOT NULL,
        number integer NOT NULL,
        formula smallint NOT NULL,
        window_from date NOT NULL,
        window_to date NOT NULL,
        orders integer NOT NULL,
        status text NOT NULL,
        overall numeric(5, 2),
        dimensions jsonb NOT NULL,
        inputs_hash bytea NOT NULL,
        computed_at timestamptz NOT NULL,
        CONSTRAINT pk_scores PRIMARY KEY (group_id, supplier_id, category, number),
        CONSTRAINT ck_scores_status CHECK (status IN ('NEW', 'SCORED')),
        CONSTRAINT ck_scores_overall CHECK ((status = 'SCORED') = (overall IS NOT NULL)),
        CONSTRAINT ck_scores_points CHECK (overall BETWEEN 0 AND 100)
    )"""

_SCORE_NOTICES = """
    CREATE TABLE score_notices (
        group_id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        category text NOT NULL,
        dimensions jsonb NOT NULL,
        computed_on date NOT NULL,
        audience_keys text[] NOT NULL,
        pooled boolean NOT NULL,
        CONSTRAINT pk_score_notices PRIMARY KEY (group_id, supplier_id, category)
    )"""

_SCORE_APPEALS = """
    CREATE TABLE score_appeals (
        group_id uuid NOT NULL,
        id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        category text NOT NULL,
        order_id uuid NOT NULL,
        text text NOT NULL,
        evidence text,
        status text NOT NULL,
        filed_by uuid NOT NULL,
        filed_at timestamptz NOT NULL,
        answer text,
        answered_by uuid,
        answered_at timestamptz,
        CONSTRAINT pk_score_appeals PRIMARY KEY (group_id, id),
        CONSTRAINT ck_score_appeals_status CHECK (status IN ('PENDING', 'CONFIRMED', 'CORRECTED')),
        CONSTRAINT ck_score_appeals_another_person CHECK (answered_by <> filed_by),
        CONSTRAINT ck_score_appeals_answered CHECK ((status = 'PENDING') = (num_nonnulls(answer, answered_by, answered_at) = 0))
    )"""

_EVALUATIONS = """
    CREATE TABLE evaluations (
        group_id uuid NOT NULL,
        id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        category text,
        dated_on date NOT NULL,
        dimension text NOT NULL,
        score numeric(5, 2) NOT NULL,
        reason text NOT NULL,
        source_key text NOT NULL,
        entered_by uuid,
        entered_at timestamptz NOT NULL,
        CONSTRAINT pk_evaluations PRIMARY KEY (group_id, id),
        CONSTRAINT ck_evaluations_score CHECK (score BETWEEN 0 AND 100),
        CONSTRAINT ck_evaluations_reason CHECK (reason <> '')
    )"""

_INDEXES = (
    "CREATE INDEX ix_blacklist_entries_ending ON blacklist_entries (expires_on) WHERE status = 'ACTIVE'",
    "CREATE UNIQUE INDEX ix_blacklist_entries_one_active ON blacklist_entries (owner_id, tax_id) WHERE status = 'ACTIVE'",
    "CREATE UNIQUE INDEX ix_blacklist_entries_one_active_person ON blacklist_entries (owner_id, representative_hash) WHERE status = 'ACTIVE'",
    "CREATE INDEX ix_blacklist_entries_representative_hash ON blacklist_entries (representative_hash)",
    "CREATE INDEX ix_blacklist_entries_tax_id ON blacklist_entries (tax_id)",
    "CREATE UNIQUE INDEX ix_blacklist_proposals_one_open ON blacklist_proposals (owner_id, entry_id) WHERE status = 'PROPOSED'",
    "CREATE UNIQUE INDEX ix_blacklist_appeals_one_open ON blacklist_appeals (owner_id, entry_id, supplier_id) WHERE status = 'OPEN'",
    "CREATE INDEX ix_blacklist_appeals_supplier_id ON blacklist_appeals (supplier_id)",
    "CREATE INDEX ix_blacklist_notices_audience_keys ON blacklist_notices USING gin (audience_keys)",
    "CREATE INDEX ix_blacklist_notices_tax_id ON blacklist_notices (tax_id)",
    "CREATE INDEX ix_score_inputs_placed_on ON score_inputs (group_id, supplier_id, category, placed_on)",
    "CREATE INDEX ix_score_inputs_supplier_id ON score_inputs (supplier_id)",
    "CREATE INDEX ix_score_due_due_on ON score_due (due_on)",
    "CREATE INDEX ix_scores_supplier_id ON scores (supplier_id)",
    "CREATE INDEX ix_score_notices_audience_keys ON score_notices USING gin (audience_keys)",
    "CREATE INDEX ix_score_notices_supplier_id_category ON score_notices (supplier_id, category)",
    "CREATE UNIQUE INDEX ix_score_appeals_one_pending ON score_appeals (group_id, supplier_id, category, order_id) WHERE status = 'PENDING'",
    "CREATE INDEX ix_score_appeals_supplier_id ON score_appeals (supplier_id)",
    "CREATE INDEX ix_evaluations_supplier_id ON evaluations (supplier_id)",
    "CREATE UNIQUE INDEX uq_evaluations_group_id_source_key ON evaluations (group_id, source_key)",
)

_COMPANIES = "(SELECT string_to_array(nullif(current_setting('app.companies', true), ''), ',')::uuid[])::uuid[]"
_VIEWER = "(SELECT string_to_array(nullif(current_setting('app.viewer_keys', true), ''), ','))"

_POLICIES = (
    f"""
    CREATE POLICY listed ON blacklist_entries FOR SELECT USING (EXISTS (
        SELECT FROM suppliers s WHERE s.company_id = ANY ({_COMPANIES}) AND (
            s.company_id = blacklist_entries.supplier_id OR s.tax_id = blacklist_entries.tax_id
            OR s.representative_hash = blacklist_entries.representative_hash
        )
    ))""",
    f"CREATE POLICY official ON blacklist_entries FOR SELECT USING (owner_id = '{_OFFICIAL}')",
    f"CREATE POLICY audience ON blacklist_notices FOR SELECT USING (audience_keys && {_VIEWER})",
    f"CREATE POLICY audience ON score_notices FOR SELECT USING (audience_keys && {_VIEWER})",
)

# An appeal is written by the supplier alone and answered by the owner alone; what was said stays said.
_APPEAL_GUARDS = tuple(
    statement
    for table, waiting in (("blacklist_appeals", "OPEN"), ("score_appeals", "PENDING"))
    for statement in (
        f"""
        CREATE FUNCTION guard_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.status <> '{waiting}' OR OLD.text <> NEW.text OR OLD.evidence IS DISTINCT FROM NEW.evidence
                OR OLD.supplier_id <> NEW.supplier_id OR OLD.filed_by <> NEW.filed_by THEN
                RAISE EXCEPTION 'an appeal is answered once and its text stays' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$""",
        f"CREATE TRIGGER guard BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION guard_{table}()",
    )
)

_LISTS_ARE_KEPT = (
    "REVOKE DELETE, TRUNCATE ON blacklist_entries, blacklist_proposals, blacklist_appeals, blacklist_versions, "
    "score_inputs, score_appeals FROM suppliers_app, suppliers_worker"
)


def upgrade() -> None:
    statements = [
        "ALTER TABLE suppliers ADD COLUMN representative_hash bytea",
        "CREATE INDEX ix_suppliers_representative_hash ON suppliers (representative_hash)",
        "CREATE INDEX ix_suppliers_tax_id ON suppliers (tax_id)",
        _BLACKLIST_ENTRIES,
        _BLACKLIST_PROPOSALS,
        _BLACKLIST_APPEALS,
        _BLACKLIST_NOTICES,
        _BLACKLIST_HISTORY,
        _BLACKLIST_VERSIONS,
        _SCORE_INPUTS,
        _SCORE_DUE,
        _SCORES,
        _SCORE_NOTICES,
        _SCORE_APPEALS,
        _EVALUATIONS,
        *_INDEXES,
        *append_only("blacklist_history", service="suppliers"),
        *append_only("scores", service="suppliers"),
        *append_only("evaluations", service="suppliers"),
        _LISTS_ARE_KEPT,
        *_APPEAL_GUARDS,
        *row_security("blacklist_entries", "owner_id"),
        *row_security("blacklist_proposals", "owner_id"),
        *row_security("blacklist_appeals", "owner_id", "supplier_id"),
        *row_security("blacklist_notices", "owner_id"),
        *row_security("blacklist_history", "owner_id"),
        *row_security("blacklist_versions", "owner_id"),
        *row_security("score_inputs", "group_id", "supplier_id"),
        *row_security("score_due", "group_id", "supplier_id"),
        *row_security("scores", "group_id", "supplier_id"),
        *row_security("score_notices", "group_id"),
        *row_security("score_appeals", "group_id", "supplier_id"),
        *row_security("evaluations", "group_id", "supplier_id"),
        *_POLICIES,
    ]
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    message = "Lists, appeals and scores would be lost; there is no way back."
    raise NotImplementedError(message)
