"""What SQL does the product run for one order? Taken from the server's log, so that the limit cannot drift from it.

Orders are placed one at a time while the server logs every statement with its parameters. The transactions that
write are then turned into pgbench scripts: the same statements, prepared, with the parameters of those orders kept
in a table. Each pgbench transaction takes a row of it at random and gives its ids a fresh beginning, so that every
one is a new order over other lines. What fetching that row costs is measured by itself and taken off.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import psycopg
from psycopg import sql

from benchmarks.limits import Script
from benchmarks.product import Product

_PARAMETER = re.compile(r"\$(\d+) = (?:NULL|'((?:[^']|'')*)')")
UUID_TEXT = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+\d\d(?::?\d\d)?|Z)")
_MESSAGE = re.compile(r"^duration: [0-9.]+ ms  (?:statement|execute [^:]*): (.*)$", re.DOTALL)
_OWN_TEXT = re.compile(r"\brun\d+-\d+\b|\bPO-\d{4}-\d{6}\b")
"""What else may stand only once: idempotency keys, and the numbers of purchase orders."""
_BEGINNING = "ffffffff-ffff"
"""Stands for the fresh beginning of an order's own ids; no id the product makes begins so."""
_LATER = "2099-01-01 00:00:00+00"
"""Instead of the moments at which a captured reservation expires: the limit is measured for minutes afterwards."""
_TABLE = "limit_orders"


@dataclass(kw_only=True)
class Statement:
    """One statement as the server saw it."""

    text: str
    values: list[str | None]


@dataclass(kw_only=True)
class Transaction:
    """The statements between BEGIN and COMMIT."""

    database: str
    user: str
    at: datetime
    statements: list[Statement] = field(default_factory=list)

    @property
    def shape(self) -> tuple[str, ...]:
        """What it has in common with others of its kind."""
        return tuple(statement.text for statement in self.statements)


@contextmanager
def statements_logged(running: Product) -> Iterator[list[Transaction]]:
    """Log inside the block; afterwards the list holds every transaction that committed."""
    assert running.databases.server is not None
    log = running.databases.server.data / "statements" / "log.json"
    begun = log.stat().st_size
    found: list[Transaction] = []
    _log_statements(running, on=True)
    try:
        yield found
    finally:
        _log_statements(running, on=False)
    found += _transactions(log, begun)


def _log_statements(running: Product, *, on: bool) -> None:
    with psycopg.connect(running.admin_url, autocommit=True) as admin:
        setting = "= 0" if on else "= -1"
        admin.execute(f"ALTER SYSTEM SET log_min_duration_statement {setting}")
        admin.execute("SELECT pg_reload_conf(), pg_sleep(0.2)")


def _transactions(log: Path, begun: int) -> list[Transaction]:
    with log.open("rb") as stream:
        stream.seek(begun)
        entries = [orjson.loads(line) for line in stream]
    open_ones: dict[str, Transaction] = {}
    done = []
    for entry in entries:
        message = _MESSAGE.match(entry.get("message", ""))
        if message is None:
            continue
        session, text = entry["session_id"], message[1].strip()
        if text.upper().startswith("BEGIN"):
            at = datetime.strptime(entry["timestamp"], "%Y-%m-%d %H:%M:%S.%f %Z").replace(tzinfo=UTC)
            open_ones[session] = Transaction(database=entry["dbname"], user=entry["user"], at=at)
        elif text.upper() == "COMMIT" and session in open_ones:
            done.append(open_ones.pop(session))
        elif session in open_ones:
            open_ones[session].statements.append(Statement(text=text, values=_values(entry.get("detail", ""))))
    return done


def _values(detail: str) -> list[str | None]:
    found = {int(each[1]): each[2] for each in _PARAMETER.finditer(detail)}
    texts = [found[number] for number in sorted(found)]
    return [None if text is None else text.replace("''", "'") for text in texts]


def writing(transactions: Sequence[Transaction], *, database: str, what: str) -> list[Transaction]:
    """The transactions of a database that say `what`; of the shape that most of them have.

    Raises:
        LookupError: there is none.
    """
    all_of_them = [
        each
        for each in transactions
        if each.database == database and any(what in statement.text for statement in each.statements)
    ]
    if not all_of_them:
        raise LookupError(f"No transaction in {database} says {what!r}.")
    usual = Counter(each.shape for each in all_of_them).most_common(1)[0][0]
    return [each for each in all_of_them if each.shape == usual]


@dataclass(frozen=True, kw_only=True)
class LimitScripts:
    """A transaction for pgbench, and the fetching of its parameters alone."""

    whole: Script
    fetching: Script


def limit_scripts(
    running: Product,
    transactions: Sequence[Transaction],
    *,
    service: str,
    name: str,
    shared: Collection[str],
) -> LimitScripts:
    """Keep the parameters in the copy of the service's database; the scripts that run them again.

    `shared` are ids that are not an order's own even where only one captured order names them: those of offers.
    """
    rows = _with_fresh_beginnings(transactions, shared)
    kind = transactions[0]
    columns = [f"s{place}p{number}" for place, each in enumerate(kind.statements) for number in range(len(each.values))]
    table = f"{_TABLE}_{name}"
    with psycopg.connect(running.admin_of(f"{service}_limit")) as admin:
        admin.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(table)))
        definition = sql.SQL(", ").join(sql.SQL("{} text STORAGE EXTERNAL").format(sql.Identifier(c)) for c in columns)
        admin.execute(sql.SQL("CREATE TABLE {} (n integer PRIMARY KEY, {})").format(sql.Identifier(table), definition))
        with admin.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
            for number, row in enumerate(rows, 1):
                copy.write_row((number, *row))
        admin.execute(sql.SQL("GRANT SELECT ON {} TO PUBLIC").format(sql.Identifier(table)))
    marked = [any(_BEGINNING in (row[place] or "") for row in rows) for place in range(len(columns))]
    fetch = _fetch(table, columns, marked, len(rows))
    urls = running.limit_urls(service)
    url = urls.app if kind.user.endswith("_app") else urls.worker
    body = [_with_variables(statement, place) for place, statement in enumerate(kind.statements)]
    return LimitScripts(
        whole=Script(url=url, text="\n".join([fetch, "BEGIN;", *body, "COMMIT;", ""])),
        fetching=Script(url=url, text=fetch + "\n"),
    )


def _with_fresh_beginnings(transactions: Sequence[Transaction], shared: Collection[str]) -> list[list[str | None]]:
    """All parameters of each transaction in a row, with the marks where its own ids begin."""
    found = [
        [set(UUID_TEXT.findall(value or "")) for s in each.statements for value in s.values] for each in transactions
    ]
    spread = Counter(id_ for each in found for id_ in set().union(*each))
    rows = []
    for each, ids in zip(transactions, found, strict=True):
        own = {id_ for id_ in set().union(*ids) if spread[id_] == 1 and id_ not in shared}
        rows.append([_renewed(value, own, each.at) for s in each.statements for value in s.values])
    return rows


def _renewed(value: str | None, own: set[str], at: datetime) -> str | None:
    if value is None:
        return None
    text = UUID_TEXT.sub(lambda id_: _BEGINNING + id_[0][13:] if id_[0] in own else id_[0], value)
    text = _OWN_TEXT.sub(lambda own_text: f"{_BEGINNING}-{own_text[0]}", text)
    return _MOMENT.sub(lambda moment: _LATER if _is_later(moment[0], at) else moment[0], text)


def _is_later(moment: str, at: datetime) -> bool:
    return datetime.fromisoformat(moment) > at + timedelta(seconds=60)


def _fetch(table: str, columns: Sequence[str], marked: Sequence[bool], rows: int) -> str:
    shown = [
        f"replace({column}, '{_BEGINNING}', f.beginning) AS {column}" if mark else column
        for column, mark in zip(columns, marked, strict=True)
    ]
    return (
        f"\\set n random(1, {rows})\n"
        f"SELECT {', '.join(shown)} FROM {table}, (SELECT left(CAST(gen_random_uuid() AS text), 13)) AS f (beginning) "
        "WHERE n = :n \\gset"
    )


def _with_variables(statement: Statement, place: int) -> str:
    def variable(match: re.Match[str]) -> str:
        number = int(match[1]) - 1
        value = statement.values[number]
        if value is None:
            return "NULL"
        name = f":s{place}p{number}"
        return f"CAST({name} AS timestamptz)" if _MOMENT.fullmatch(value) else name

    lines = [line for line in statement.text.splitlines() if not line.strip().startswith("--")]
    return re.sub(r"\$(\d+)", variable, " ".join(lines)) + ";"
