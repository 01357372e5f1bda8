"""What offers declare beside their price: edition, freight, certificates, EPD; and the registers `catalog` tells.

NULL is what is not declared, so that the many offers without cost nothing.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_DECLARED = """
    ALTER TABLE offers
        ADD COLUMN standard text CONSTRAINT ck_offers_standard CHECK (char_length(standard) BETWEEN 1 AND 100),
        ADD COLUMN freight jsonb CONSTRAINT ck_offers_freight
            CHECK (jsonb_typeof(freight) = 'array' AND freight <> '[]'),
        ADD COLUMN certificates jsonb CONSTRAINT ck_offers_certificates
            CHECK (jsonb_typeof(certificates) = 'array' AND certificates <> '[]'),
        ADD COLUMN epd jsonb CONSTRAINT ck_offers_epd CHECK (jsonb_typeof(epd) = 'object')"""


_EDITIONS = """
    CREATE TABLE known_editions (
        key text NOT NULL,
        number_key text NOT NULL,
        designation text NOT NULL,
        withdrawn_on date,
        replaced_by text,
        version integer NOT NULL,
        CONSTRAINT pk_known_editions PRIMARY KEY (key)
    )"""

_RESTRICTIONS = """
    CREATE TABLE known_restrictions (
        id uuid NOT NULL,
        banned boolean NOT NULL,
        type_code text NOT NULL,
        properties jsonb NOT NULL,
        regions text[] NOT NULL,
        from_on date NOT NULL,
        until_on date,
        source text NOT NULL,
        text text NOT NULL,
        version integer NOT NULL,
        CONSTRAINT pk_known_restrictions PRIMARY KEY (id),
        CONSTRAINT ck_known_restrictions_validity CHECK (until_on >= from_on)
    )"""

_VERSION = """
    CREATE TABLE register_version (
        one boolean NOT NULL,
        version bigint NOT NULL,
        CONSTRAINT pk_register_version PRIMARY KEY (one),
        CONSTRAINT ck_register_version_one_row CHECK (one)
    )"""


def upgrade() -> None:
    for statement in (
        _DECLARED,
        "CREATE INDEX ix_offers_standard ON offers (supplier_id, standard) WHERE standard IS NOT NULL",
        _EDITIONS,
        "CREATE INDEX ix_known_editions_number_key ON known_editions (number_key)",
        _RESTRICTIONS,
        _VERSION,
        "INSERT INTO register_version VALUES (true, 0)",
        (
            "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON known_editions, known_restrictions, register_version "
            "FROM suppliers_app"
        ),
    ):
        op.execute(statement)


def downgrade() -> None:
    message = "Offers would lose what they declare; there is no way back."
    raise NotImplementedError(message)
