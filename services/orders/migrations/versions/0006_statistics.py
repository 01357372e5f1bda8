"""Metrics and price statistics: stages by time, months that were made, and what may be said of a cell.

None of them is a company's: a statistic names nobody. They only grow: a statistic made again could be compared with
itself (domain.md 3.5 T4).
"""

from alembic import op

from shared.walls import append_only

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLES = [
    """
    CREATE TABLE stage_periods (
        group_id uuid NOT NULL,
        category text NOT NULL,
        since timestamptz NOT NULL,
        stage text NOT NULL,
        circle_id uuid,
        CONSTRAINT pk_stage_periods PRIMARY KEY (group_id, category, since),
        CONSTRAINT ck_stage_periods_stage CHECK (stage IN ('S1', 'S2', 'S3')),
        CONSTRAINT ck_stage_periods_circle CHECK ((stage = 'S2') = (circle_id IS NOT NULL))
    )""",
    """
    CREATE TABLE price_months (
        month date NOT NULL,
        made_at timestamptz NOT NULL,
        CONSTRAINT pk_price_months PRIMARY KEY (month),
        CONSTRAINT ck_price_months_month CHECK (extract(day FROM month) = 1)
    )""",
    """
    CREATE TABLE price_statistics (
        pool text NOT NULL,
        variant_key text NOT NULL,
        region text NOT NULL,
        month date NOT NULL,
        currency text NOT NULL,
        category text NOT NULL,
        base_unit text NOT NULL,
        price numeric(18, 6) NOT NULL,
        spread text NOT NULL,
        groups text NOT NULL,
        CONSTRAINT pk_price_statistics PRIMARY KEY (pool, variant_key, region, month, currency),
        CONSTRAINT ck_price_statistics_month CHECK (extract(day FROM month) = 1),
        CONSTRAINT ck_price_statistics_region CHECK (region ~ '^[0-9]{2}$'),
        CONSTRAINT ck_price_statistics_price CHECK (price >= 0)
    )""",
]
_INDEX = "CREATE INDEX ix_purchase_orders_placed_at ON purchase_orders USING brin (placed_at)"


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    op.execute(_INDEX)
    for table in ("price_months", "price_statistics"):
        for statement in append_only(table, service="orders"):
            op.execute(statement)
    # Who has opened what is told by `members` to whom it concerns; the app reads none of it here.
    op.execute("REVOKE ALL ON stage_periods FROM orders_app")


def downgrade() -> None:
    for table in ("price_statistics", "price_months", "stage_periods"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP INDEX ix_purchase_orders_placed_at")
