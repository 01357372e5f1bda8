"""New variants enter the search's indexes together: one by one, each token's list of variants is packed anew for each.

What has not yet entered is looked through by every search, so the worker lets all of it in at the end of each page of
events, and at most a megabyte waits meanwhile.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_INDEXES = ("ix_search_variants_tokens", "ix_search_variants_properties")

_SETTLE = f"""
    CREATE FUNCTION settle_search_variants() RETURNS void LANGUAGE sql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
        {";".join(f"SELECT gin_clean_pending_list('{name}')" for name in _INDEXES)}
    $$"""


def upgrade() -> None:
    for statement in (
        "SET lock_timeout = '5s'",
        *(f"ALTER INDEX {name} SET (fastupdate = on, gin_pending_list_limit = 1024)" for name in _INDEXES),
        _SETTLE,
        "REVOKE ALL ON FUNCTION settle_search_variants() FROM public, catalog_app",
        "GRANT EXECUTE ON FUNCTION settle_search_variants() TO catalog_worker",
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP FUNCTION settle_search_variants()")
    op.execute("ALTER INDEX ix_search_variants_tokens SET (fastupdate = off)")
    for name in _INDEXES:
        op.execute(f"ALTER INDEX {name} RESET (gin_pending_list_limit)")
