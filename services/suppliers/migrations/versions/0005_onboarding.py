"""From invitation to qualification: invitations, identities, papers and their checks, applications, warnings.

What a supplier may not write into its own onboarding is refused by the database too: checks and warnings are not
the app's to insert, and no row names a reviewer of the applicant's own company.
"""

from alembic import op

from shared.walls import append_only, row_security

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STANDING = """
    ALTER TABLE suppliers
        ADD COLUMN level text CONSTRAINT ck_suppliers_level CHECK (level IN ('A', 'B', 'C')),
        ADD COLUMN paper_ends jsonb NOT NULL DEFAULT '{}'
            CONSTRAINT ck_suppliers_paper_ends CHECK (jsonb_typeof(paper_ends) = 'object')"""

_INVITATIONS = """
    CREATE TABLE supplier_invitations (
        group_id uuid NOT NULL,
        id uuid NOT NULL,
        company_id uuid NOT NULL,
        inviter_name text NOT NULL,
        invited_by uuid NOT NULL,
        company_name text NOT NULL,
        tax_id text,
        email text,
        categories text[] NOT NULL,
        code_hash bytea NOT NULL,
        expires_at timestamptz NOT NULL,
        opened_at timestamptz,
        revoked_at timestamptz,
        supplier_id uuid,
        accepted_at timestamptz,
        version integer NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_supplier_invitations PRIMARY KEY (group_id, id),
        CONSTRAINT uq_supplier_invitations_code_hash UNIQUE (code_hash),
        CONSTRAINT ck_supplier_invitations_accepted CHECK ((supplier_id IS NULL) = (accepted_at IS NULL)),
        CONSTRAINT ck_supplier_invitations_one_end CHECK (accepted_at IS NULL OR revoked_at IS NULL),
        CONSTRAINT ck_supplier_invitations_expires CHECK (expires_at > created_at)
    )"""

_FILES = """
    CREATE TABLE supplier_invitation_files (
        group_id uuid NOT NULL,
        file_hash bytea NOT NULL,
        invited integer NOT NULL,
        rejected integer NOT NULL,
        problems jsonb NOT NULL,
        sent_by uuid NOT NULL,
        sent_at timestamptz NOT NULL,
        CONSTRAINT pk_supplier_invitation_files PRIMARY KEY (group_id, file_hash)
    )"""

_KINDS = (
    "'business_licence', 'legal_representative', 'bank_proof', 'tax_status', 'ccc', 'production_permit', "
    "'hygiene', 'iso', 'epd', 'lab_report', 'authorisation'"
)

_PAPERS = f"""
    CREATE TABLE supplier_papers (
        supplier_id uuid NOT NULL,
        id uuid NOT NULL,
        kind text NOT NULL,
        categories text[] NOT NULL,
        issuer text NOT NULL,
        number text NOT NULL,
        valid_from date NOT NULL,
        valid_until date,
        file_name text NOT NULL,
        media_type text NOT NULL,
        size_bytes bigint NOT NULL,
        file_hash bytea NOT NULL,
        replaces uuid,
        given_by uuid NOT NULL,
        given_by_name text NOT NULL,
        given_at timestamptz NOT NULL,
        CONSTRAINT pk_supplier_papers PRIMARY KEY (supplier_id, id),
        CONSTRAINT uq_supplier_papers_supplier_id_replaces UNIQUE (supplier_id, replaces),
        CONSTRAINT fk_supplier_papers_supplier_id_replaces FOREIGN KEY (supplier_id, replaces)
            REFERENCES supplier_papers (supplier_id, id),
        CONSTRAINT ck_supplier_papers_kind CHECK (kind IN ({_KINDS})),
        CONSTRAINT ck_supplier_papers_validity CHECK (valid_until >= valid_from),
        CONSTRAINT ck_supplier_papers_media_type
            CHECK (media_type IN ('application/pdf', 'image/png', 'image/jpeg')),
        CONSTRAINT ck_supplier_papers_file_hash CHECK (octet_length(file_hash) = 32),
        CONSTRAINT ck_supplier_papers_size_bytes CHECK (size_bytes > 0)
    )"""

_CHECKS = """
    CREATE TABLE supplier_paper_checks (
        supplier_id uuid NOT NULL,
        paper_id uuid NOT NULL,
        number integer NOT NULL,
        outcome text NOT NULL,
        reason text NOT NULL,
        by_id uuid NOT NULL,
        by_name text NOT NULL,
        by_company uuid NOT NULL,
        checked_at timestamptz NOT NULL,
        CONSTRAINT pk_supplier_paper_checks PRIMARY KEY (supplier_id, paper_id, number),
        CONSTRAINT fk_supplier_paper_checks_supplier_id_paper_id FOREIGN KEY (supplier_id, paper_id)
            REFERENCES supplier_papers (supplier_id, id),
        CONSTRAINT ck_supplier_paper_checks_outcome CHECK (outcome IN ('accepted', 'refused')),
        CONSTRAINT ck_supplier_paper_checks_reason CHECK (outcome = 'accepted' OR reason <> ''),
        CONSTRAINT ck_supplier_paper_checks_not_own CHECK (by_company <> supplier_id)
    )"""

_IDENTITIES = """
    CREATE TABLE supplier_identities (
        supplier_id uuid NOT NULL,
        representative_name text NOT NULL,
        document_kind text NOT NULL,
        document_hash bytea NOT NULL,
        representative_hash bytea NOT NULL,
        document_tail text NOT NULL,
        bank_name text NOT NULL,
        account_name text NOT NULL,
        account_hash bytea NOT NULL,
        account_tail text NOT NULL,
        state text NOT NULL,
        reason text NOT NULL,
        given_at timestamptz NOT NULL,
        decided_at timestamptz,
        decided_by uuid,
        decided_by_company uuid,
        due_on date,
        version integer NOT NULL,
        CONSTRAINT pk_supplier_identities PRIMARY KEY (supplier_id),
        CONSTRAINT ck_supplier_identities_state CHECK (state IN ('GIVEN', 'VERIFIED', 'REFUSED')),
        CONSTRAINT ck_supplier_identities_decided CHECK ((state = 'GIVEN') = (decided_at IS NULL)),
        CONSTRAINT ck_supplier_identities_due CHECK ((state = 'VERIFIED') = (due_on IS NOT NULL)),
        CONSTRAINT ck_supplier_identities_tails
            CHECK (char_length(document_tail) <= 4 AND char_length(account_tail) <= 4),
        CONSTRAINT ck_supplier_identities_not_own CHECK (decided_by_company <> supplier_id)
    )"""

_APPLICATIONS = """
    CREATE TABLE supplier_applications (
        supplier_id uuid NOT NULL,
        id uuid NOT NULL,
        state text NOT NULL,
        trade text NOT NULL,
        categories text[] NOT NULL,
        regions text[] NOT NULL,
        paper_ids uuid[] NOT NULL,
        findings jsonb NOT NULL,
        reviewer_id uuid,
        reviewer_name text,
        reviewer_company uuid,
        reason text NOT NULL,
        level text,
        granted text[] NOT NULL,
        until date,
        rounds integer NOT NULL,
        version integer NOT NULL,
        waiting_since timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        submitted_at timestamptz,
        decided_at timestamptz,
        CONSTRAINT pk_supplier_applications PRIMARY KEY (supplier_id, id),
        CONSTRAINT ck_supplier_applications_state CHECK (state IN ('REGISTERED', 'IDENTITY_VERIFIED',
            'DOCUMENTS_SUBMITTED', 'UNDER_REVIEW', 'RETURNED', 'QUALIFIED', 'REJECTED', 'WITHDRAWN')),
        CONSTRAINT ck_supplier_applications_trade CHECK (trade IN ('maker', 'trader')),
        CONSTRAINT ck_supplier_applications_asks CHECK (cardinality(categories) > 0),
        CONSTRAINT ck_supplier_applications_granted CHECK (granted <@ categories),
        CONSTRAINT ck_supplier_applications_qualified
            CHECK (state <> 'QUALIFIED' OR (cardinality(granted) > 0 AND level IS NOT NULL)),
        CONSTRAINT ck_supplier_applications_level CHECK (level IN ('A', 'B', 'C')),
        CONSTRAINT ck_supplier_applications_reviewed
            CHECK (state NOT IN ('UNDER_REVIEW', 'RETURNED', 'QUALIFIED', 'REJECTED') OR reviewer_id IS NOT NULL),
        CONSTRAINT ck_supplier_applications_not_own CHECK (reviewer_company <> supplier_id)
    )"""

_OPEN_APPLICATION = """
    CREATE UNIQUE INDEX uq_supplier_applications_one_open ON supplier_applications (supplier_id)
    WHERE state NOT IN ('QUALIFIED', 'REJECTED', 'WITHDRAWN')"""

_WARNINGS = """
    CREATE TABLE expiry_warnings (
        supplier_id uuid NOT NULL,
        subject text NOT NULL,
        subject_id uuid NOT NULL,
        ends_on date NOT NULL,
        step smallint NOT NULL,
        warned_at timestamptz NOT NULL,
        CONSTRAINT pk_expiry_warnings PRIMARY KEY (supplier_id, subject, subject_id, ends_on, step),
        CONSTRAINT ck_expiry_warnings_subject CHECK (subject IN ('paper', 'qualification', 'identity')),
        CONSTRAINT ck_expiry_warnings_step CHECK (step IN (60, 30, 7, 0))
    )"""


def upgrade() -> None:
    statements = [
        _STANDING,
        _INVITATIONS,
        (
            "CREATE INDEX ix_supplier_invitations_supplier_id ON supplier_invitations (supplier_id) "
            "WHERE supplier_id IS NOT NULL"
        ),
        _FILES,
        _PAPERS,
        _CHECKS,
        _IDENTITIES,
        _APPLICATIONS,
        _OPEN_APPLICATION,
        "CREATE INDEX ix_supplier_applications_waiting ON supplier_applications (state, waiting_since)",
        _WARNINGS,
        *append_only("supplier_papers", service="suppliers"),
        *append_only("supplier_paper_checks", service="suppliers"),
        "REVOKE INSERT ON supplier_paper_checks FROM suppliers_app",
        "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON expiry_warnings FROM suppliers_app",
    ]
    for table in ("supplier_invitations", "supplier_invitation_files"):
        statements += row_security(table, "group_id")
    for table in (
        "supplier_papers",
        "supplier_paper_checks",
        "supplier_identities",
        "supplier_applications",
        "expiry_warnings",
    ):
        statements += row_security(table, "supplier_id")
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    message = "Decisions and papers would be lost; there is no way back."
    raise NotImplementedError(message)
