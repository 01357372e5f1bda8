"""SQL for migrations: walls that PostgreSQL keeps for us."""


def companies_in_scope() -> str:
    """SQL for the companies whose rows the transaction may see.

    The setting is read through a scalar sub-select so that PostgreSQL evaluates it once a statement, not a row.
    """
    return "(SELECT string_to_array(nullif(current_setting('app.companies', true), ''), ',')::uuid[])::uuid[]"


def row_security(table: str, *columns: str) -> list[str]:
    """SQL that binds a table to `app.companies`: a row belongs to every company named in `columns`."""
    belongs = " OR ".join(f"{column} = ANY ({companies_in_scope()})" for column in columns)
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY company ON {table} USING ({belongs}) WITH CHECK ({belongs})",
    ]


def append_only(table: str, *, service: str) -> list[str]:
    """SQL that lets the service add rows to a table and read them, never change or remove one.

    Grants stop the service's roles; the trigger stops its owner's mistakes too.
    """
    return [
        f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {service}_app, {service}_worker",
        f"""
        CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
        (
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_is_append_only()"
        ),
    ]
