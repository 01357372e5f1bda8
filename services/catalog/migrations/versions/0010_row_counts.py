"""How many rows of an import stand in each state is kept beside the import, by whatever statement changes them.

Whoever waits for an import asks again and again; counting a million rows took a second of the database each time.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TABLES = ("mapping_jobs", "mapping_rows")

_BACKFILL = """
    UPDATE mapping_jobs j SET row_counts = found.counts FROM (
        SELECT company_id, job_id, jsonb_object_agg(name, n) AS counts FROM (
            SELECT company_id, job_id, state AS name, count(*) AS n FROM mapping_rows GROUP BY 1, 2, 3
            UNION ALL
            SELECT company_id, job_id, 'sample_open', count(*) FROM mapping_rows
            WHERE sampled AND state = 'AUTO_ACCEPTED' GROUP BY 1, 2
        ) each GROUP BY 1, 2
    ) found
    WHERE j.company_id = found.company_id AND j.id = found.job_id"""

_SIGNS = {"insert": {"rows_after": 1}, "update": {"rows_after": 1, "rows_before": -1}, "delete": {"rows_before": -1}}
_NAMES = {"rows_after": "NEW", "rows_before": "OLD"}


def _counting(event: str) -> list[str]:
    """A function and its trigger; a transition table may be named only where the event has it."""
    changed = " UNION ALL ".join(
        f"SELECT company_id, job_id, state, sampled, {sign} AS n FROM {table}" for table, sign in _SIGNS[event].items()
    )
    transitions = " ".join(f"{_NAMES[table]} TABLE AS {table}" for table in _SIGNS[event])
    return [
        f"""
        CREATE FUNCTION mapping_rows_counted_on_{event}() RETURNS trigger LANGUAGE plpgsql
        SET search_path = public, pg_temp AS $$
        BEGIN
            WITH changed AS ({changed}), told AS MATERIALIZED (
                SELECT company_id, job_id, state AS name, sum(n) AS n FROM changed GROUP BY 1, 2, 3
                UNION ALL
                SELECT company_id, job_id, 'sample_open', sum(n) FROM changed
                WHERE sampled AND state = 'AUTO_ACCEPTED' GROUP BY 1, 2
            )
            UPDATE mapping_jobs j SET row_counts = (
                SELECT coalesce(jsonb_object_agg(name, n), '{{}}') FROM (
                    SELECT name, sum(n) AS n FROM (
                        SELECT key AS name, CAST(value AS bigint) AS n FROM jsonb_each_text(j.row_counts)
                        UNION ALL
                        SELECT name, n FROM told WHERE told.company_id = j.company_id AND told.job_id = j.id
                    ) each GROUP BY name HAVING sum(n) <> 0
                ) counted
            )
            WHERE (j.company_id, j.id) IN (SELECT company_id, job_id FROM told WHERE n <> 0);
            RETURN NULL;
        END $$""",
        f"""
        CREATE TRIGGER counted_on_{event} AFTER {event.upper()} ON mapping_rows REFERENCING {transitions}
        FOR EACH STATEMENT EXECUTE FUNCTION mapping_rows_counted_on_{event}()""",
    ]


def upgrade() -> None:
    for statement in (
        "SET lock_timeout = '5s'",
        "ALTER TABLE mapping_jobs ADD COLUMN row_counts jsonb DEFAULT '{}' NOT NULL",
        *(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for table in _TABLES),
        _BACKFILL,
        *(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in _TABLES),
        *(statement for event in _SIGNS for statement in _counting(event)),
    ):
        op.execute(statement)


def downgrade() -> None:
    for event in _SIGNS:
        op.execute(f"DROP TRIGGER counted_on_{event} ON mapping_rows")
        op.execute(f"DROP FUNCTION mapping_rows_counted_on_{event}()")
    op.execute("ALTER TABLE mapping_jobs DROP COLUMN row_counts")
