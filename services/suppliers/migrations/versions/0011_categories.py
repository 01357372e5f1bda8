"""Which categories the catalog has, so that nobody is invited, applies or is qualified for one that is none.

The types told before are read again: the follower's place in the feed of `catalog` goes back to its beginning, which
changes nothing else, for an entry told again is as it was.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        "SET lock_timeout = '5s'",
        "ALTER TABLE known_types ADD COLUMN category text",
        "DELETE FROM follower_cursors WHERE source = 'catalog'",
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE known_types DROP COLUMN category")
