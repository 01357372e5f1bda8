"""Companies, people, sessions, API clients, signing keys.

Beside the tables this sets three walls that SQLModel cannot declare:

- a USCC's check digit (GB 32100) is a CHECK;
- periods that must not overlap are exclusion constraints. GiST has no operator class for uuid without an
  extension that a plain server may lack, so the uuid stands in them as a range of one element;
- row level security. Companies and their links are readable to all and writable in scope; people are readable
  through a membership in scope; credentials, sessions, refresh tokens, attempts and signing keys have no policy
  at all, so the app's role sees none of their rows and only the worker's role works with them.
"""

from alembic import op

from shared.house_tables import house_schema
from shared.walls import append_only, row_security

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_USCC = """
    CREATE FUNCTION uscc_holds(code text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
        SELECT code ~ '^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$' AND (
            SELECT (31 - sum(
                (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(code, place, 1)) - 1) * weight
            ) % 31) % 31
            FROM unnest(ARRAY[1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28])
                WITH ORDINALITY AS weights (weight, place_number),
                LATERAL (SELECT CAST(place_number AS integer)) AS places (place)
        ) = strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(code, 18, 1)) - 1;
    END"""

_COMPANIES = """
    CREATE TABLE companies (
        id uuid NOT NULL,
        tax_country text NOT NULL,
        tax_scheme text NOT NULL,
        tax_value text NOT NULL,
        name_zh text,
        name_en text,
        kinds text[] NOT NULL,
        size_class text,
        size_declared_on date,
        status text NOT NULL,
        version integer NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_companies PRIMARY KEY (id),
        CONSTRAINT uq_companies_tax_country_tax_scheme_tax_value UNIQUE (tax_country, tax_scheme, tax_value),
        CONSTRAINT ck_companies_tax_country CHECK (tax_country ~ '^[A-Z]{2}$'),
        CONSTRAINT ck_companies_tax_scheme CHECK (
            tax_scheme IN ('USCC', 'VAT', 'NATIONAL') AND (tax_scheme = 'USCC') = (tax_country = 'CN')
        ),
        CONSTRAINT ck_companies_tax_value CHECK (
            CASE tax_scheme WHEN 'USCC' THEN uscc_holds(tax_value) ELSE tax_value ~ '^[0-9A-Z]{4,32}$' END
        ),
        CONSTRAINT ck_companies_named CHECK (num_nonnulls(name_zh, name_en) > 0),
        CONSTRAINT ck_companies_kinds CHECK (
            cardinality(kinds) > 0
            AND kinds <@ ARRAY['contractor_group', 'contractor', 'branch', 'supplier', 'carrier', 'lab', 'supervisor',
                'designer', 'operator', 'regulator', 'financier', 'association']
            AND (NOT 'branch' = ANY (kinds) OR kinds && ARRAY['contractor', 'supplier'])
        ),
        CONSTRAINT ck_companies_size CHECK (size_class IN ('large', 'medium', 'small', 'micro')),
        CONSTRAINT ck_companies_size_has_date CHECK (num_nonnulls(size_class, size_declared_on) <> 1),
        CONSTRAINT ck_companies_status CHECK (status IN ('ACTIVE', 'SUSPENDED', 'CLOSED'))
    )"""

_COMPANY_NAMES = """
    CREATE TABLE company_names (
        company_id uuid NOT NULL,
        replaced_at timestamptz NOT NULL,
        name_zh text,
        name_en text,
        CONSTRAINT pk_company_names PRIMARY KEY (company_id, replaced_at),
        CONSTRAINT fk_company_names_company_id FOREIGN KEY (company_id) REFERENCES companies (id)
    )"""

_COMPANY_LINKS = """
    CREATE TABLE company_links (
        child_id uuid NOT NULL,
        id uuid NOT NULL,
        parent_id uuid NOT NULL,
        kind text NOT NULL,
        valid_from date NOT NULL,
        valid_until date,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_company_links PRIMARY KEY (child_id, id),
        CONSTRAINT fk_company_links_child_id FOREIGN KEY (child_id) REFERENCES companies (id),
        CONSTRAINT fk_company_links_parent_id FOREIGN KEY (parent_id) REFERENCES companies (id),
        CONSTRAINT ck_company_links_kind CHECK (kind IN ('group', 'branch')),
        CONSTRAINT ck_company_links_not_itself CHECK (child_id <> parent_id),
        CONSTRAINT ck_company_links_period CHECK (valid_until >= valid_from),
        CONSTRAINT ex_company_links_one_parent EXCLUDE USING gist (
            uuidrange(child_id, child_id, '[]') WITH =, daterange(valid_from, valid_until) WITH &&
        )
    )"""

_PEOPLE = [
    r"""
    CREATE TABLE people (
        id uuid NOT NULL,
        email text NOT NULL,
        name text NOT NULL,
        status text NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_people PRIMARY KEY (id),
        CONSTRAINT uq_people_email UNIQUE (email),
        CONSTRAINT ck_people_email CHECK (email = lower(email) AND email ~ '^[^@\s]+@[^@\s]+$'),
        CONSTRAINT ck_people_status CHECK (status IN ('ACTIVE', 'DEACTIVATED'))
    )""",
    """
    CREATE TABLE memberships (
        company_id uuid NOT NULL,
        id uuid NOT NULL,
        person_id uuid NOT NULL,
        roles text[] NOT NULL,
        status text NOT NULL,
        valid_from timestamptz NOT NULL,
        valid_until timestamptz,
        version integer NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_memberships PRIMARY KEY (company_id, id),
        CONSTRAINT fk_memberships_company_id FOREIGN KEY (company_id) REFERENCES companies (id),
        CONSTRAINT fk_memberships_person_id FOREIGN KEY (person_id) REFERENCES people (id),
        CONSTRAINT ck_memberships_roles CHECK (
            cardinality(roles) > 0
            AND roles <@ ARRAY['requester', 'buyer', 'approver', 'finance', 'admin', 'supplier_sales',
                'supplier_finance', 'operator']
        ),
        CONSTRAINT ck_memberships_status CHECK (status IN ('INVITED', 'ACTIVE')),
        CONSTRAINT ck_memberships_period CHECK (valid_until >= valid_from),
        CONSTRAINT ex_memberships_one_at_a_time EXCLUDE USING gist (
            uuidrange(company_id, company_id, '[]') WITH =,
            uuidrange(person_id, person_id, '[]') WITH =,
            tstzrange(valid_from, valid_until) WITH &&
        )
    )""",
    "CREATE INDEX ix_memberships_person_id ON memberships (person_id)",
    """
    CREATE TABLE credentials (
        person_id uuid NOT NULL,
        password_hash text NOT NULL,
        changed_at timestamptz NOT NULL,
        CONSTRAINT pk_credentials PRIMARY KEY (person_id),
        CONSTRAINT fk_credentials_person_id FOREIGN KEY (person_id) REFERENCES people (id),
        CONSTRAINT ck_credentials_argon2id CHECK (password_hash LIKE '$argon2id$%')
    )""",
    """
    CREATE TABLE invitations (
        company_id uuid NOT NULL,
        membership_id uuid NOT NULL,
        token_hash bytea NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT pk_invitations PRIMARY KEY (company_id, membership_id),
        CONSTRAINT uq_invitations_token_hash UNIQUE (token_hash),
        CONSTRAINT fk_invitations_company_id_membership_id FOREIGN KEY (company_id, membership_id)
            REFERENCES memberships (company_id, id),
        CONSTRAINT ck_invitations_token_hash CHECK (octet_length(token_hash) = 32)
    )""",
    """
    CREATE TABLE attempts (
        key text NOT NULL,
        window_start timestamptz NOT NULL,
        failures integer NOT NULL,
        CONSTRAINT pk_attempts PRIMARY KEY (key),
        CONSTRAINT ck_attempts_failures CHECK (failures >= 0)
    )""",
    "CREATE INDEX ix_attempts_window_start ON attempts (window_start)",
]

_ACCESS = [
    """
    CREATE TABLE sessions (
        id uuid NOT NULL,
        person_id uuid NOT NULL,
        company_id uuid NOT NULL,
        begun_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz,
        revoked_why text,
        CONSTRAINT pk_sessions PRIMARY KEY (id),
        CONSTRAINT fk_sessions_person_id FOREIGN KEY (person_id) REFERENCES people (id),
        CONSTRAINT fk_sessions_company_id FOREIGN KEY (company_id) REFERENCES companies (id),
        CONSTRAINT ck_sessions_expires CHECK (expires_at > begun_at),
        CONSTRAINT ck_sessions_revoked CHECK (num_nonnulls(revoked_at, revoked_why) <> 1)
    )""",
    "CREATE INDEX ix_sessions_person_id ON sessions (person_id)",
    "CREATE INDEX ix_sessions_expires_at ON sessions (expires_at)",
    """
    CREATE TABLE refresh_tokens (
        token_hash bytea NOT NULL,
        session_id uuid NOT NULL,
        issued_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        CONSTRAINT pk_refresh_tokens PRIMARY KEY (token_hash),
        CONSTRAINT fk_refresh_tokens_session_id FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE,
        CONSTRAINT ck_refresh_tokens_token_hash CHECK (octet_length(token_hash) = 32)
    )""",
    "CREATE INDEX ix_refresh_tokens_session_id ON refresh_tokens (session_id)",
    "CREATE UNIQUE INDEX ix_refresh_tokens_unused ON refresh_tokens (session_id) WHERE used_at IS NULL",
    """
    CREATE TABLE api_clients (
        id uuid NOT NULL,
        client_id text NOT NULL,
        company_id uuid,
        kind text NOT NULL,
        name text NOT NULL,
        scopes text[] NOT NULL,
        secret_hash bytea NOT NULL,
        previous_secret_hash bytea,
        previous_secret_until timestamptz,
        created_at timestamptz NOT NULL,
        created_by uuid,
        expires_at timestamptz,
        revoked_at timestamptz,
        last_used_at timestamptz,
        CONSTRAINT pk_api_clients PRIMARY KEY (id),
        CONSTRAINT uq_api_clients_client_id UNIQUE (client_id),
        CONSTRAINT fk_api_clients_company_id FOREIGN KEY (company_id) REFERENCES companies (id),
        CONSTRAINT ck_api_clients_kind CHECK (kind IN ('client', 'service')),
        CONSTRAINT ck_api_clients_company CHECK ((kind = 'service') = (company_id IS NULL)),
        CONSTRAINT ck_api_clients_scopes CHECK (
            cardinality(scopes) > 0 AND scopes <@ CASE kind
                WHEN 'service' THEN ARRAY['feed:read', 'reservations:write', 'variants:resolve', 'companies:read']
                ELSE ARRAY['stock:write', 'prices:write', 'orders:read', 'orders:respond'] END
        ),
        CONSTRAINT ck_api_clients_secret_hash CHECK (octet_length(secret_hash) = 32),
        CONSTRAINT ck_api_clients_previous_secret CHECK (
            num_nonnulls(previous_secret_hash, previous_secret_until) <> 1
        )
    )""",
    "CREATE INDEX ix_api_clients_company_id_id ON api_clients (company_id, id)",
    """
    CREATE TABLE signing_keys (
        kid text NOT NULL,
        private_jwk jsonb NOT NULL,
        public_jwk jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        retired_at timestamptz,
        published_until timestamptz,
        CONSTRAINT pk_signing_keys PRIMARY KEY (kid),
        CONSTRAINT ck_signing_keys_retired CHECK (num_nonnulls(retired_at, published_until) <> 1),
        CONSTRAINT ck_signing_keys_public CHECK (NOT public_jwk ? 'd')
    )""",
    "CREATE UNIQUE INDEX ix_signing_keys_current ON signing_keys ((retired_at IS NULL)) WHERE retired_at IS NULL",
]

_CLOSED_TO_THE_APP = ("credentials", "attempts", "sessions", "refresh_tokens", "signing_keys")

_PEOPLE_POLICY = """
    CREATE POLICY read ON people FOR SELECT
    USING (EXISTS (SELECT FROM memberships m WHERE m.person_id = people.id))"""

_IN_SCOPE = "(SELECT string_to_array(nullif(current_setting('app.companies', true), ''), ',')::uuid[])::uuid[]"


def _readable_writable_in_scope(table: str, column: str) -> list[str]:
    """All read, the company in `column` writes: identity and structure are no secrets, changing them is a right."""
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY read ON {table} FOR SELECT USING (true)",
        f"CREATE POLICY add ON {table} FOR INSERT WITH CHECK ({column} = ANY ({_IN_SCOPE}))",
        f"CREATE POLICY change ON {table} FOR UPDATE USING ({column} = ANY ({_IN_SCOPE}))",
    ]


def _closed(table: str) -> list[str]:
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
    ]


def upgrade() -> None:
    statements = [
        *house_schema("members"),
        "CREATE TYPE uuidrange AS RANGE (subtype = uuid)",
        _USCC,
        _COMPANIES,
        _COMPANY_NAMES,
        _COMPANY_LINKS,
        "CREATE INDEX ix_company_links_parent_id ON company_links (parent_id)",
        *_PEOPLE,
        *_ACCESS,
        *append_only("company_names", service="members"),
        *_readable_writable_in_scope("companies", "id"),
        *_readable_writable_in_scope("company_names", "company_id"),
        *_readable_writable_in_scope("company_links", "child_id"),
        *row_security("memberships", "company_id"),
        *row_security("invitations", "company_id"),
        *row_security("api_clients", "company_id"),
        *_closed("people"),
        _PEOPLE_POLICY,
    ]
    for table in _CLOSED_TO_THE_APP:
        statements += _closed(table)
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    """There is nothing before the first migration."""
    raise NotImplementedError
