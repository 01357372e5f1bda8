"""What stands on a list about one record of a company counts for all records that merges say are the same.

`one_company` follows standing merges in both directions. A listed company reads what is listed about any of its
records. Who reads or writes a list and who merges take one lock, shared the first and alone the second
(`blacklists.queries.subjects_stay`, `subjects_change`): so no entry and no merge misses the other.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ONE_COMPANY = """
    CREATE FUNCTION one_company(ids uuid[]) RETURNS uuid[] LANGUAGE sql STABLE AS $$
        WITH RECURSIVE kin (id) AS (
            SELECT unnest(ids)
            UNION
            SELECT CASE WHEN m.vanishing_id = k.id THEN m.survivor_id ELSE m.vanishing_id END
            FROM kin k JOIN supplier_merges m ON m.state = 'EFFECTIVE' AND k.id IN (m.vanishing_id, m.survivor_id)
        )
        SELECT coalesce(array_agg(id), '{}') FROM kin
    $$"""

_COMPANIES = "string_to_array(nullif(current_setting('app.companies', true), ''), ',')::uuid[]"

_LISTED = f"""
    CREATE POLICY listed ON blacklist_entries FOR SELECT USING (EXISTS (
        SELECT FROM suppliers s WHERE s.company_id = ANY ((SELECT one_company({_COMPANIES}))::uuid[]) AND (
            s.company_id = blacklist_entries.supplier_id OR s.tax_id = blacklist_entries.tax_id
            OR s.representative_hash = blacklist_entries.representative_hash
        )
    ))"""


def upgrade() -> None:
    for statement in (_ONE_COMPANY, "DROP POLICY listed ON blacklist_entries", _LISTED):
        op.execute(statement)


def downgrade() -> None:
    message = "Entries about merged records would stop counting; there is no way back."
    raise NotImplementedError(message)
