"""Which component types are out of use, as `catalog` tells.

The types told before this copy was kept are read again: the follower's place in the feed of `catalog` goes back to
its beginning, which changes nothing else, for an entry told again is as it was.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TYPES = """
    CREATE TABLE known_types (
        code text NOT NULL,
        deprecated_on date,
        successor text,
        reason text,
        version integer NOT NULL,
        CONSTRAINT pk_known_types PRIMARY KEY (code),
        CONSTRAINT ck_known_types_deprecation
            CHECK (deprecated_on IS NOT NULL OR (successor IS NULL AND reason IS NULL))
    )"""


def upgrade() -> None:
    for statement in (
        _TYPES,
        "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON known_types FROM suppliers_app",
        "DELETE FROM follower_cursors WHERE source = 'catalog'",
    ):
        op.execute(statement)


def downgrade() -> None:
    message = "Goods of types out of use would be ordered again; there is no way back."
    raise NotImplementedError(message)
