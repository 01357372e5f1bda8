"""Mapping of enterprises' material codes: imports, their rows, what was decided, and the published mappings.

Beside the tables this sets:

- row level security: everything is its company's; a mapping published for a group is also read by the group's members
  (`app.viewer_keys`);
- walls against rewriting: history is append-only, and of a published mapping the services may only note that it was
  used, ended or rolled back.
"""

from alembic import op

from shared.walls import append_only, row_security

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MAPPING_JOBS = """
    CREATE TABLE mapping_jobs (
        company_id uuid NOT NULL,
        id uuid NOT NULL,
        kind text NOT NULL,
        file_hash bytea NOT NULL,
        file_name text NOT NULL,
        file text NOT NULL,
        format text NOT NULL,
        state text NOT NULL,
        dry_run boolean NOT NULL,
        group_id uuid,
        uploaded_by uuid NOT NULL,
        approved_by uuid,
        approved_at timestamptz,
        effective_from date,
        bytes_total bigint NOT NULL,
        rows_read bigint DEFAULT 0 NOT NULL,
        rows_taken bigint DEFAULT 0 NOT NULL,
        rows_rejected bigint DEFAULT 0 NOT NULL,
        rows_matched bigint DEFAULT 0 NOT NULL,
        rows_published bigint DEFAULT 0 NOT NULL,
        last_row bigint DEFAULT 0 NOT NULL,
        warnings text[] DEFAULT '{}' NOT NULL,
        problem jsonb,
        attempts integer DEFAULT 0 NOT NULL,
        lease_id uuid,
        lease_until timestamptz,
        version integer DEFAULT 1 NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_mapping_jobs PRIMARY KEY (company_id, id),
        CONSTRAINT ck_mapping_jobs_state CHECK (state IN ('UPLOADED', 'PARSED', 'VALIDATED', 'MATCHED', 'IN_REVIEW', 'APPROVED', 'PUBLISHED', 'FAILED', 'CANCELLED', 'ROLLED_BACK')),
        CONSTRAINT ck_mapping_jobs_file_hash CHECK (octet_length(file_hash) = 32),
        CONSTRAINT ck_mapping_jobs_failed_with_problem CHECK ((state = 'FAILED') = (problem IS NOT NULL)),
        CONSTRAINT ck_mapping_jobs_two_people CHECK (approved_by <> uploaded_by),
        CONSTRAINT ck_mapping_jobs_approved CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
        CONSTRAINT ck_mapping_jobs_approved_by_someone CHECK (state NOT IN ('APPROVED', 'PUBLISHED') OR approved_by IS NOT NULL)
    )"""

_MAPPING_ROW_ERRORS = """
    CREATE TABLE mapping_row_errors (
        company_id uuid NOT NULL,
        job_id uuid NOT NULL,
        row_no bigint NOT NULL,
        column_name text NOT NULL,
        code text NOT NULL,
        severity text NOT NULL,
        text text NOT NULL,
        CONSTRAINT pk_mapping_row_errors PRIMARY KEY (company_id, job_id, row_no, column_name, code),
        CONSTRAINT ck_mapping_row_errors_severity CHECK (severity IN ('rejected', 'warning'))
    )"""

_MAPPING_ROWS = """
    CREATE TABLE mapping_rows (
        company_id uuid NOT NULL,
        job_id uuid NOT NULL,
        row_no bigint NOT NULL,
        imported_by uuid NOT NULL,
        legacy_code text NOT NULL,
        name text NOT NULL,
        spec text NOT NULL,
        unit text NOT NULL,
        others jsonb NOT NULL,
        several boolean DEFAULT false NOT NULL,
        state text NOT NULL,
        relation text,
        score numeric(3, 2),
        type_code text,
        candidates jsonb DEFAULT '[]' NOT NULL,
        asks_for text[] DEFAULT '{}' NOT NULL,
        sampled boolean DEFAULT false NOT NULL,
        parts jsonb DEFAULT '[]' NOT NULL,
        decided_by uuid,
        decided_at timestamptz,
        note text,
        CONSTRAINT pk_mapping_rows PRIMARY KEY (company_id, job_id, row_no),
        CONSTRAINT ck_mapping_rows_state CHECK (state IN ('PROPOSED', 'AUTO_ACCEPTED', 'NEEDS_REVIEW', 'UNMATCHED', 'CONFIRMED', 'REJECTED', 'SPLIT_REQUESTED', 'NEW_TYPE_REQUESTED', 'RETIRED')),
        CONSTRAINT ck_mapping_rows_relation CHECK (relation IN ('exact', 'narrower', 'broader', 'kit')),
        CONSTRAINT ck_mapping_rows_score CHECK (score BETWEEN 0 AND 1),
        CONSTRAINT ck_mapping_rows_two_people CHECK (decided_by <> imported_by),
        CONSTRAINT ck_mapping_rows_decided CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
        CONSTRAINT ck_mapping_rows_parts CHECK (state <> 'CONFIRMED' OR (decided_by IS NOT NULL AND jsonb_array_length(parts) > 0)),
        CONSTRAINT ck_mapping_rows_auto_accepted CHECK (state <> 'AUTO_ACCEPTED' OR score >= 0.95)
    ) WITH (fillfactor = 80)"""

_MAPPING_HISTORY = """
    CREATE TABLE mapping_history (
        company_id uuid NOT NULL,
        id uuid DEFAULT uuidv7() NOT NULL,
        job_id uuid NOT NULL,
        row_no bigint,
        before text,
        after text NOT NULL,
        who text NOT NULL,
        who_name text NOT NULL,
        at timestamptz NOT NULL,
        note text,
        CONSTRAINT pk_mapping_history PRIMARY KEY (company_id, id)
    )"""

_CODE_MAPPINGS = """
    CREATE TABLE code_mappings (
        company_id uuid NOT NULL,
        id uuid DEFAULT uuidv7() NOT NULL,
        group_id uuid,
        legacy_code text NOT NULL,
        version integer NOT NULL,
        part smallint NOT NULL,
        relation text NOT NULL,
        condition text NOT NULL,
        quantity numeric(18, 3) NOT NULL,
        variant_id uuid NOT NULL,
        variant_key text NOT NULL,
        legacy_name text NOT NULL,
        legacy_spec text NOT NULL,
        legacy_unit text NOT NULL,
        job_id uuid NOT NULL,
        row_no bigint NOT NULL,
        valid_from date NOT NULL,
        valid_until date,
        ended_by_job uuid,
        published_at timestamptz NOT NULL,
        used_at timestamptz,
        rolled_back_at timestamptz,
        CONSTRAINT pk_code_mappings PRIMARY KEY (company_id, id),
        CONSTRAINT ck_code_mappings_relation CHECK (relation IN ('exact', 'narrower', 'broader', 'kit') AND relation <> 'broader'),
        CONSTRAINT ck_code_mappings_version CHECK (version > 0),
        CONSTRAINT ck_code_mappings_period CHECK (valid_until >= valid_from),
        CONSTRAINT ck_code_mappings_used_stays CHECK (used_at IS NULL OR rolled_back_at IS NULL)
    )"""

_INDEXES = [
    "CREATE INDEX ix_mapping_jobs_to_do ON mapping_jobs (created_at) WHERE state IN ('UPLOADED', 'PARSED', 'VALIDATED', 'APPROVED')",
    "CREATE UNIQUE INDEX uq_mapping_jobs_file ON mapping_jobs (company_id, kind, file_hash) WHERE state NOT IN ('FAILED', 'CANCELLED', 'ROLLED_BACK')",
    "CREATE INDEX ix_mapping_rows_code ON mapping_rows (company_id, job_id, legacy_code)",
    "CREATE INDEX ix_mapping_rows_state ON mapping_rows (company_id, job_id, state, row_no)",
    "CREATE INDEX ix_mapping_history_job ON mapping_history (company_id, job_id, at)",
    "CREATE INDEX ix_code_mappings_group_code ON code_mappings (group_id, lower(legacy_code)) WHERE group_id IS NOT NULL",
    "CREATE INDEX ix_code_mappings_job ON code_mappings (company_id, job_id)",
    "CREATE INDEX ix_code_mappings_lower_code ON code_mappings (company_id, lower(legacy_code))",
    "CREATE INDEX ix_code_mappings_variant_id ON code_mappings (variant_id)",
    "CREATE UNIQUE INDEX uq_code_mappings_open ON code_mappings (company_id, legacy_code, part) WHERE valid_until IS NULL AND rolled_back_at IS NULL",
    "CREATE UNIQUE INDEX uq_code_mappings_version ON code_mappings (company_id, legacy_code, version, part)",
]

_TABLES = ("mapping_jobs", "mapping_row_errors", "mapping_rows", "mapping_history", "code_mappings")

_GROUP_READS = """
    CREATE POLICY group_reads ON code_mappings FOR SELECT USING (
        group_id IS NOT NULL AND 'group:' || group_id = ANY (
            (SELECT string_to_array(nullif(current_setting('app.viewer_keys', true), ''), ','))::text[]
        )
    )"""

_ENDED_NOT_REWRITTEN = [
    "REVOKE UPDATE, DELETE, TRUNCATE ON code_mappings FROM catalog_app, catalog_worker",
    "GRANT UPDATE (valid_until, ended_by_job, used_at, rolled_back_at) ON code_mappings TO catalog_app, catalog_worker",
]


def upgrade() -> None:
    statements = [
        _MAPPING_JOBS,
        _MAPPING_ROW_ERRORS,
        _MAPPING_ROWS,
        _MAPPING_HISTORY,
        _CODE_MAPPINGS,
        *_INDEXES,
        *(statement for table in _TABLES for statement in row_security(table, "company_id")),
        _GROUP_READS,
        *append_only("mapping_history", service="catalog"),
        *_ENDED_NOT_REWRITTEN,
    ]
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION mapping_history_is_append_only()")
