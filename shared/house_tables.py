"""The tables every service has: its events, its answers by Idempotency-Key, its places in others' feeds, the events
it could not apply, and the audit log with its chains."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import UserDefinedType

from shared.walls import append_only, companies_in_scope, row_security


class TransactionId(UserDefinedType[int]):
    """PostgreSQL's `xid8`: the 64-bit id of the writing transaction."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


def add_house_tables(metadata: MetaData) -> None:
    """Declare the house tables in a service's metadata (the migration creates them by `house_schema`)."""
    Table(
        "events",
        metadata,
        Column("txid", TransactionId, primary_key=True, server_default=text("pg_current_xact_id()")),
        Column("seq", BigInteger, Identity(always=True), primary_key=True),
        Column("id", Uuid, nullable=False),
        Column("type", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("company_id", Uuid),
        Column("time", DateTime(timezone=True), nullable=False),
        Column("data", JSONB, nullable=False),
    )
    keys = Table(
        "idempotency_keys",
        metadata,
        Column("scope_id", Uuid, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("route", Text, nullable=False),
        Column("request_hash", LargeBinary, nullable=False),
        Column("status", SmallInteger, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    )
    Index(None, keys.c.created_at)
    Table(
        "follower_cursors",
        metadata,
        Column("source", Text, primary_key=True),
        Column("position", Text, nullable=False),
        Column("caught_up_to", DateTime(timezone=True)),
        Column("updated_at", DateTime(timezone=True), nullable=False),
    )
    Table(
        "parked_events",
        metadata,
        Column("source", Text, primary_key=True),
        Column("event_id", Uuid, primary_key=True),
        Column("type", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("event", JSONB, nullable=False),
        Column("error", Text, nullable=False),
        Column("attempts", Integer, nullable=False, server_default=text("1")),
        Column("parked_at", DateTime(timezone=True), nullable=False),
        Column("resolved_at", DateTime(timezone=True)),
        Column("resolution", Text),
    )

    Table(
        "audit_entries",
        metadata,
        Column("txid", TransactionId, primary_key=True, server_default=text("pg_current_xact_id()")),
        Column("seq", BigInteger, Identity(always=True), primary_key=True),
        Column("owner_id", Uuid, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("entry", JSONB, nullable=False),
    )
    Table(
        "audit_links",
        metadata,
        Column("owner_id", Uuid, primary_key=True),
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("txid", TransactionId, nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("hash", LargeBinary, nullable=False),
        UniqueConstraint("txid", "seq"),
    )


def audit_schema(service: str) -> list[str]:
    """SQL that creates the audit log: entries as they happen, and the links that chain each owner's.

    Whoever acts may add to any owner's log and read its own only. Links are the worker's: a link follows the one
    before it, so numbers of an owner have no gap, and neither table is ever changed.
    """
    mine = f"owner_id = ANY ({companies_in_scope()})"
    return [
        """
        CREATE TABLE audit_entries (
            txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
            seq bigint GENERATED ALWAYS AS IDENTITY,
            owner_id uuid NOT NULL,
            at timestamptz NOT NULL,
            entry jsonb NOT NULL,
            CONSTRAINT pk_audit_entries PRIMARY KEY (txid, seq)
        )""",
        """
        CREATE TABLE audit_links (
            owner_id uuid NOT NULL,
            number bigint NOT NULL,
            txid xid8 NOT NULL,
            seq bigint NOT NULL,
            at timestamptz NOT NULL,
            hash bytea NOT NULL,
            CONSTRAINT pk_audit_links PRIMARY KEY (owner_id, number),
            CONSTRAINT uq_audit_links_txid_seq UNIQUE (txid, seq)
        )""",
        """
        CREATE FUNCTION follow_audit_link() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.number <> 1 AND NOT EXISTS (
                SELECT FROM audit_links WHERE owner_id = NEW.owner_id AND number = NEW.number - 1
            ) THEN
                RAISE EXCEPTION 'link % follows no link', NEW.number USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$""",
        "CREATE TRIGGER follow BEFORE INSERT ON audit_links FOR EACH ROW EXECUTE FUNCTION follow_audit_link()",
        *append_only("audit_entries", service=service),
        *append_only("audit_links", service=service),
        f"REVOKE INSERT ON audit_links FROM {service}_app",
        *(
            statement
            for table in ("audit_entries", "audit_links")
            for statement in (
                f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
                f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
                f"CREATE POLICY owner_reads ON {table} FOR SELECT USING ({mine})",
                f"CREATE POLICY anyone_adds ON {table} FOR INSERT WITH CHECK (true)",
            )
        ),
    ]


def house_schema(service: str) -> list[str]:
    """SQL that creates the house tables; every service's first migration runs it."""
    return [
        """
        CREATE TABLE events (
            txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
            seq bigint GENERATED ALWAYS AS IDENTITY,
            id uuid NOT NULL,
            type text NOT NULL,
            subject text NOT NULL,
            company_id uuid,
            time timestamptz NOT NULL,
            data jsonb NOT NULL,
            CONSTRAINT pk_events PRIMARY KEY (txid, seq)
        )""",
        """
        CREATE TABLE idempotency_keys (
            scope_id uuid NOT NULL,
            key text NOT NULL,
            route text NOT NULL,
            request_hash bytea NOT NULL,
            status smallint NOT NULL,
            headers jsonb NOT NULL,
            body bytea NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT pk_idempotency_keys PRIMARY KEY (scope_id, key)
        )""",
        "CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)",
        """
        CREATE TABLE follower_cursors (
            source text NOT NULL,
            position text NOT NULL,
            caught_up_to timestamptz,
            updated_at timestamptz NOT NULL,
            CONSTRAINT pk_follower_cursors PRIMARY KEY (source)
        )""",
        """
        CREATE TABLE parked_events (
            source text NOT NULL,
            event_id uuid NOT NULL,
            type text NOT NULL,
            subject text NOT NULL,
            event jsonb NOT NULL,
            error text NOT NULL,
            attempts integer NOT NULL DEFAULT 1,
            parked_at timestamptz NOT NULL,
            resolved_at timestamptz,
            resolution text,
            CONSTRAINT pk_parked_events PRIMARY KEY (source, event_id)
        )""",
        *append_only("events", service=service),
        f"REVOKE SELECT ON events FROM {service}_app",
        f"REVOKE ALL ON parked_events, follower_cursors FROM {service}_app",
        *row_security("idempotency_keys", "scope_id"),
    ]
