"""Circles of contractor groups, stages, the documents that change them, and evidence for their gates.

Beside the tables this sets:

- a group stands in a circle once at a time (exclusion constraint), and an ended standing stays ended;
- a stage change moves only along the legal moves, whoever writes it (trigger);
- row level security: a circle is its parties', known by `party_ids`; its standings and history are seen by who sees
  the circle. A subquery on the standings in their own policy would be a recursion, hence the repeated ids.
"""

from alembic import op

from shared.walls import append_only, row_security

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CIRCLES = """
    CREATE TABLE circles (
        id uuid NOT NULL,
        name text NOT NULL,
        purpose text NOT NULL,
        status text NOT NULL,
        lead_id uuid NOT NULL,
        party_ids uuid[] NOT NULL,
        version integer NOT NULL,
        history_length integer NOT NULL,
        history_hash bytea,
        created_at timestamptz NOT NULL,
        dissolved_at timestamptz,
        dissolved_reason text,
        CONSTRAINT pk_circles PRIMARY KEY (id),
        CONSTRAINT fk_circles_lead_id FOREIGN KEY (lead_id) REFERENCES companies (id),
        CONSTRAINT ck_circles_status CHECK (status IN ('ACTIVE', 'DISSOLVED')),
        CONSTRAINT ck_circles_dissolved CHECK (num_nonnulls(dissolved_at, dissolved_reason) <> 1),
        CONSTRAINT ck_circles_dissolved_status CHECK ((status = 'DISSOLVED') = (dissolved_at IS NOT NULL)),
        CONSTRAINT ck_circles_parties CHECK (cardinality(party_ids) > 0),
        CONSTRAINT ck_circles_lead CHECK (lead_id = ANY (party_ids)),
        CONSTRAINT ck_circles_version CHECK (version >= 1 AND history_length >= 1)
    )"""

_STANDINGS = """
    CREATE TABLE circle_standings (
        group_id uuid NOT NULL,
        id uuid NOT NULL,
        circle_id uuid NOT NULL,
        status text NOT NULL,
        invited_at timestamptz NOT NULL,
        invited_by uuid NOT NULL,
        agreed_ids uuid[] NOT NULL,
        agreed_people uuid[] NOT NULL,
        answered_by uuid,
        valid_from timestamptz,
        valid_until timestamptz,
        ended_at timestamptz,
        ended_by uuid,
        end_reason text,
        CONSTRAINT pk_circle_standings PRIMARY KEY (group_id, id),
        CONSTRAINT fk_circle_standings_group_id FOREIGN KEY (group_id) REFERENCES companies (id),
        CONSTRAINT fk_circle_standings_circle_id FOREIGN KEY (circle_id) REFERENCES circles (id),
        CONSTRAINT ck_circle_standings_status CHECK (
            status IN ('INVITED', 'ACTIVE', 'DECLINED', 'WITHDRAWN', 'LEFT', 'REMOVED', 'DISSOLVED')
        ),
        CONSTRAINT ck_circle_standings_period CHECK (valid_until >= valid_from),
        CONSTRAINT ck_circle_standings_began CHECK (
            (valid_from IS NOT NULL) = (status IN ('ACTIVE', 'LEFT', 'REMOVED', 'DISSOLVED'))
        ),
        CONSTRAINT ck_circle_standings_ended CHECK (
            (valid_until IS NOT NULL) = (status IN ('LEFT', 'REMOVED', 'DISSOLVED'))
        ),
        CONSTRAINT ck_circle_standings_removed_why CHECK (status <> 'REMOVED' OR end_reason IS NOT NULL),
        CONSTRAINT ck_circle_standings_ended_by CHECK (num_nonnulls(ended_at, ended_by) <> 1),
        CONSTRAINT ck_circle_standings_two_persons CHECK (NOT coalesce(answered_by = ANY (agreed_people), false)),
        CONSTRAINT ex_circle_standings_one_at_a_time EXCLUDE USING gist (
            uuidrange(circle_id, circle_id, '[]') WITH =,
            uuidrange(group_id, group_id, '[]') WITH =,
            tstzrange(valid_from, valid_until) WITH &&
        ) WHERE (valid_from IS NOT NULL)
    )"""

_CIRCLE_HISTORY = """
    CREATE TABLE circle_history (
        circle_id uuid NOT NULL,
        seq integer NOT NULL,
        entry jsonb NOT NULL,
        hash bytea NOT NULL,
        CONSTRAINT pk_circle_history PRIMARY KEY (circle_id, seq),
        CONSTRAINT fk_circle_history_circle_id FOREIGN KEY (circle_id) REFERENCES circles (id)
    )"""

_STAGES = """
    CREATE TABLE stages (
        group_id uuid NOT NULL,
        category text NOT NULL,
        stage text NOT NULL,
        circle_id uuid,
        change_id uuid,
        since timestamptz NOT NULL,
        version integer NOT NULL,
        CONSTRAINT pk_stages PRIMARY KEY (group_id, category),
        CONSTRAINT fk_stages_group_id FOREIGN KEY (group_id) REFERENCES companies (id),
        CONSTRAINT fk_stages_circle_id FOREIGN KEY (circle_id) REFERENCES circles (id),
        CONSTRAINT ck_stages_stage CHECK (stage IN ('S1', 'S2', 'S3')),
        CONSTRAINT ck_stages_circle CHECK ((stage = 'S2') = (circle_id IS NOT NULL)),
        CONSTRAINT ck_stages_change CHECK ((stage = 'S1') = (change_id IS NULL))
    )"""

_CHANGES = """
    CREATE TABLE stage_changes (
        group_id uuid NOT NULL,
        id uuid NOT NULL,
        category text NOT NULL,
        from_stage text NOT NULL,
        to_stage text NOT NULL,
        circle_id uuid NOT NULL,
        previous_change_id uuid,
        reason text NOT NULL,
        status text NOT NULL,
        version integer NOT NULL,
        created_at timestamptz NOT NULL,
        created_by uuid NOT NULL,
        gates jsonb,
        gates_checked_at timestamptz,
        gates_circle_ids uuid[],
        tenant_approver_id uuid,
        tenant_approved_at timestamptz,
        operator_approver_id uuid,
        operator_company_id uuid,
        operator_approved_at timestamptz,
        announced_at timestamptz,
        effective_from timestamptz,
        effective_at timestamptz,
        suspended_at timestamptz,
        reverted_at timestamptz,
        end_reason text,
        history_length integer NOT NULL,
        history_hash bytea,
        CONSTRAINT pk_stage_changes PRIMARY KEY (group_id, id),
        CONSTRAINT fk_stage_changes_group_id FOREIGN KEY (group_id) REFERENCES companies (id),
        CONSTRAINT fk_stage_changes_circle_id FOREIGN KEY (circle_id) REFERENCES circles (id),
        CONSTRAINT ck_stage_changes_status CHECK (
            status IN ('DRAFT', 'GATES_CHECKED', 'APPROVED', 'ANNOUNCED', 'EFFECTIVE', 'SUSPENDED', 'REVERTED')
        ),
        CONSTRAINT ck_stage_changes_one_step CHECK (
            (from_stage = 'S1' AND to_stage = 'S2') OR (from_stage = 'S2' AND to_stage = 'S3')
        ),
        CONSTRAINT ck_stage_changes_tenant_approval CHECK (num_nonnulls(tenant_approver_id, tenant_approved_at) <> 1),
        CONSTRAINT ck_stage_changes_operator_approval CHECK (
            num_nonnulls(operator_approver_id, operator_company_id, operator_approved_at) IN (0, 3)
        ),
        CONSTRAINT ck_stage_changes_two_persons CHECK (tenant_approver_id <> operator_approver_id),
        CONSTRAINT ck_stage_changes_two_companies CHECK (operator_company_id <> group_id),
        CONSTRAINT ck_stage_changes_approved_by_two CHECK (
            status NOT IN ('APPROVED', 'ANNOUNCED', 'EFFECTIVE')
            OR num_nonnulls(tenant_approved_at, operator_approved_at) = 2
        ),
        CONSTRAINT ck_stage_changes_announced CHECK (num_nonnulls(announced_at, effective_from) <> 1),
        CONSTRAINT ck_stage_changes_seven_days CHECK (effective_from >= announced_at + interval '7 days'),
        CONSTRAINT ck_stage_changes_was_announced CHECK (
            status NOT IN ('ANNOUNCED', 'EFFECTIVE', 'SUSPENDED') OR announced_at IS NOT NULL
        ),
        CONSTRAINT ck_stage_changes_not_before CHECK (effective_at >= effective_from),
        CONSTRAINT ck_stage_changes_took_effect CHECK (status <> 'EFFECTIVE' OR effective_at IS NOT NULL),
        CONSTRAINT ck_stage_changes_reverted CHECK ((status = 'REVERTED') = (reverted_at IS NOT NULL)),
        CONSTRAINT ck_stage_changes_version CHECK (version >= 1 AND history_length >= 1)
    )"""

_CHANGE_HISTORY = """
    CREATE TABLE stage_change_history (
        group_id uuid NOT NULL,
        change_id uuid NOT NULL,
        seq integer NOT NULL,
        entry jsonb NOT NULL,
        hash bytea NOT NULL,
        CONSTRAINT pk_stage_change_history PRIMARY KEY (group_id, change_id, seq),
        CONSTRAINT fk_stage_change_history_group_id_change_id FOREIGN KEY (group_id, change_id)
            REFERENCES stage_changes (group_id, id)
    )"""

_EVIDENCE = """
    CREATE TABLE gate_evidence (
        id uuid NOT NULL,
        kind text NOT NULL,
        state text NOT NULL,
        group_id uuid,
        happened_on date NOT NULL,
        reference text NOT NULL,
        recorded_at timestamptz NOT NULL,
        recorded_by uuid NOT NULL,
        company_id uuid NOT NULL,
        CONSTRAINT pk_gate_evidence PRIMARY KEY (id),
        CONSTRAINT fk_gate_evidence_group_id FOREIGN KEY (group_id) REFERENCES companies (id),
        CONSTRAINT ck_gate_evidence_kind CHECK (kind IN ('confidentiality_suite', 'external_audit', 'rules_published',
            'operator_neutrality', 'export_drill', 'public_tender_duty')),
        CONSTRAINT ck_gate_evidence_of_a_group CHECK ((kind = 'public_tender_duty') = (group_id IS NOT NULL))
    )"""

_INDEXES = [
    "CREATE INDEX ix_circles_party_ids ON circles USING gin (party_ids)",
    """
    CREATE UNIQUE INDEX ix_circle_standings_open ON circle_standings (circle_id, group_id)
    WHERE status IN ('INVITED', 'ACTIVE')""",
    "CREATE INDEX ix_circle_standings_circle_id ON circle_standings (circle_id)",
    "CREATE INDEX ix_stages_circle_id ON stages (circle_id)",
    """
    CREATE UNIQUE INDEX ix_stage_changes_under_way ON stage_changes (group_id, category)
    WHERE status NOT IN ('EFFECTIVE', 'REVERTED')""",
    "CREATE INDEX ix_stage_changes_due ON stage_changes (effective_from) WHERE status = 'ANNOUNCED'",
    "CREATE INDEX ix_stage_changes_circle_id ON stage_changes (circle_id)",
    "CREATE INDEX ix_gate_evidence_kind_recorded_at ON gate_evidence (kind, recorded_at)",
]

_MOVES = [
    """
    CREATE FUNCTION stage_changes_move() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
            ('DRAFT', 'GATES_CHECKED'), ('GATES_CHECKED', 'DRAFT'), ('GATES_CHECKED', 'APPROVED'),
            ('APPROVED', 'ANNOUNCED'), ('ANNOUNCED', 'EFFECTIVE'), ('ANNOUNCED', 'SUSPENDED'),
            ('EFFECTIVE', 'SUSPENDED'), ('SUSPENDED', 'ANNOUNCED'), ('DRAFT', 'REVERTED'),
            ('GATES_CHECKED', 'REVERTED'), ('APPROVED', 'REVERTED'), ('ANNOUNCED', 'REVERTED'),
            ('EFFECTIVE', 'REVERTED'), ('SUSPENDED', 'REVERTED')
        ) THEN
            RAISE EXCEPTION 'a stage change does not go from % to %', OLD.status, NEW.status
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER legal_moves BEFORE UPDATE ON stage_changes
    FOR EACH ROW EXECUTE FUNCTION stage_changes_move()""",
    """
    CREATE FUNCTION circle_standings_move() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
            ('INVITED', 'ACTIVE'), ('INVITED', 'DECLINED'), ('INVITED', 'WITHDRAWN'),
            ('ACTIVE', 'LEFT'), ('ACTIVE', 'REMOVED'), ('ACTIVE', 'DISSOLVED')
        ) THEN
            RAISE EXCEPTION 'a standing in a circle does not go from % to %', OLD.status, NEW.status
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER legal_moves BEFORE UPDATE ON circle_standings
    FOR EACH ROW EXECUTE FUNCTION circle_standings_move()""",
]

_IN_SCOPE = "(SELECT string_to_array(nullif(current_setting('app.companies', true), ''), ',')::uuid[])::uuid[]"


def _forced(table: str) -> list[str]:
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
    ]


def _seen_with_the_circle(table: str) -> list[str]:
    seen = f"EXISTS (SELECT FROM circles c WHERE c.id = {table}.circle_id)"
    return [*_forced(table), f"CREATE POLICY circle ON {table} USING ({seen}) WITH CHECK ({seen})"]


def upgrade() -> None:
    statements = [
        _CIRCLES,
        _STANDINGS,
        _CIRCLE_HISTORY,
        _STAGES,
        _CHANGES,
        _CHANGE_HISTORY,
        _EVIDENCE,
        *_INDEXES,
        *_MOVES,
        *append_only("circle_history", service="members"),
        *append_only("stage_change_history", service="members"),
        *append_only("gate_evidence", service="members"),
        "REVOKE DELETE, TRUNCATE ON circles, circle_standings, stages, stage_changes FROM members_app, members_worker",
        *_forced("circles"),
        f"CREATE POLICY parties ON circles USING (party_ids && {_IN_SCOPE}) WITH CHECK (party_ids && {_IN_SCOPE})",
        *_seen_with_the_circle("circle_standings"),
        *_seen_with_the_circle("circle_history"),
        *row_security("stages", "group_id"),
        *row_security("stage_changes", "group_id"),
        *row_security("stage_change_history", "group_id"),
        *_forced("gate_evidence"),
        "CREATE POLICY read ON gate_evidence FOR SELECT USING (true)",
        f"CREATE POLICY add ON gate_evidence FOR INSERT WITH CHECK (company_id = ANY ({_IN_SCOPE}))",
    ]
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    """What was opened and by whom is history; it is not dropped."""
    raise NotImplementedError
