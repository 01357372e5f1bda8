"""What offers declare beside their price: edition, freight, certificates, EPD.

NULL is what is not declared, so that the many offers without cost nothing.
"""

from alembic import op

revision = "suppliers_0003_standards"
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


def upgrade() -> None:
    op.execute(_DECLARED)


def downgrade() -> None:
    message = "Offers would lose what they declare; there is no way back."
    raise NotImplementedError(message)
