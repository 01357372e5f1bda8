"""Who trades what: made through the product's own API, then multiplied set-based in the database.

Every supplier syncs a hundred listings as its ERP would; copies of those rows under other item numbers make the rest.
So each row is one that the product itself wrote but for its number, and a million take seconds.
"""

import csv
import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from stdnum.cn import uscc

from benchmarks.product import Product
from infra.api import Api
from infra.credentials import Client, SignIn, new_password
from infra.signin import ClientTokens, PersonTokens

BUYERS = 16
SUPPLIERS = 20
COPIES = 10
"""Of each listing: 20 suppliers x 100 variants x 10 make the 20,000 offers that orders are spread over."""
VARIANTS = tuple(
    f"RB-HRB|diameter={diameter},grade={grade},length={length}"
    for grade, diameter, length in product(
        ("HRB400", "HRB400E", "HRB500", "HRB500E", "HRB600"), (10, 12, 14, 16, 18, 20, 22, 25, 28, 32), (9, 12)
    )
)
STOCK_POINT = "main"
ON_HAND = 900_000_000
"""Tonnes; no order of a benchmark is refused for want of stock."""
SCOPES = ["stock:write", "prices:write", "orders:read", "orders:respond"]
_REGION = "110105"
_SYNC_TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class Seller:
    """A supplier and its ERP's way in."""

    company_id: UUID
    tokens: ClientTokens


@dataclass(frozen=True, kw_only=True)
class Buyer:
    """A contractor's buyer, and where the goods go."""

    tokens: PersonTokens
    project_id: str
    delivery_point_id: str


@dataclass(frozen=True, kw_only=True)
class World:
    """What the benchmarks act on."""

    operator: Api
    buyers: Sequence[Buyer]
    sellers: Sequence[Seller]


def make_world(running: Product) -> World:
    """Sixteen contractors with a project each, twenty qualified suppliers, 20,000 offers with stock."""
    running.say("Making a world of 16 contractors, 20 suppliers and 20,000 offers …")
    assert running.credentials.operator is not None
    operator = running.api.signed_in(PersonTokens(running.api, running.credentials.operator))
    buyers = [_buyer(running.api, operator, number=number) for number in range(BUYERS)]
    sellers = [make_seller(running, operator, number=number, copies=COPIES) for number in range(SUPPLIERS)]
    return World(operator=operator, buyers=buyers, sellers=sellers)


def make_seller(running: Product, operator: Api, *, number: int, copies: int) -> Seller:
    """A qualified supplier with `copies` of every listing."""
    company_id = _company(operator, number=100 + number, kind="supplier")
    _qualify(operator, company_id)
    _open_market(running, operator, company_id)
    made = operator.post(
        f"/members/companies/{company_id}/api-clients", {"name": "ERP", "scopes": SCOPES}, key=f"client/{number}"
    ).body
    tokens = ClientTokens(running.api, Client(client_id=made["client_id"], client_secret=made["client_secret"]))
    seller = Seller(company_id=company_id, tokens=tokens)
    _list_variants(running.api.signed_in(tokens), company_id)
    multiply(running.admin_of("suppliers"), company_id=company_id, copies=copies)
    return seller


def _company(operator: Api, *, number: int, kind: str) -> UUID:
    stem = f"91110000MA{number:07d}"
    body = {
        "tax_id": {"value": stem + uscc.calc_check_digit(stem)},
        "name_zh": f"基准{number}号公司",
        "kinds": [kind],
    }
    return UUID(operator.post("/members/companies", body, key=f"company/{number}").body["id"])


def _buyer(api: Api, operator: Api, *, number: int) -> Buyer:
    company_id = _company(operator, number=number, kind="contractor")
    who = SignIn(email=f"buyer{number}@benchmark.example", password=new_password())
    invited = operator.post(
        f"/members/companies/{company_id}/people",
        {"email": who.email, "name": "Benchmark Buyer", "roles": ["requester", "buyer"]},
        key=f"buyer/{number}",
    ).body
    api.post("/members/invitations/accept", {"token": invited["invitation_token"], "password": who.password})
    tokens = PersonTokens(api, who)
    point = {"name": "东门料场", "address": "北京市朝阳区基准路 1 号", "region": _REGION}
    body = {"number": "B-1", "name": "基准工程", "delivery_points": [point]}
    project = api.signed_in(tokens).post("/orders/projects", body, key="project").body
    return Buyer(tokens=tokens, project_id=project["id"], delivery_point_id=project["delivery_points"][0]["id"])


def _qualify(operator: Api, company_id: UUID) -> None:
    operator.post("/suppliers", {"company_id": str(company_id)}, key=f"supplier/{company_id}")
    version = operator.get(f"/suppliers/{company_id}").headers["ETag"]
    body = {"categories": ["rebar"], "reason": "Benchmark."}
    operator.post(f"/suppliers/{company_id}/qualification", body, key=f"qualify/{company_id}", version=version)


def _open_market(running: Product, operator: Api, supplier_id: UUID) -> None:
    """Let every member see the supplier's offers: the first contractor, whose rebar is an open market, admits it.

    The stage is set in the database: getting there takes five groups, two approvals and seven days.
    """
    group_id = _company(operator, number=0, kind="contractor")
    with psycopg.connect(running.admin_of("suppliers")) as connection:
        connection.execute(
            "INSERT INTO known_spaces (group_id, category, stage) VALUES (%s, 'rebar', 'S3') ON CONFLICT DO NOTHING",
            [group_id],
        )
    body = {"group_id": str(group_id), "categories": ["rebar"], "reason": "Benchmark."}
    operator.post(f"/suppliers/{supplier_id}/admissions", body, key=f"admit/{supplier_id}")


def sync(api: Api, company_id: UUID, rows: bytes, *, key: str) -> dict[str, Any]:
    """Send rows as CSV and wait until they are worked off; the finished job.

    Raises:
        RuntimeError: the file was refused.
    """
    headers = {"Content-Type": "text/csv", "Idempotency-Key": key, "Prefer": "respond-async"}
    job: dict[str, Any] = api.call(
        "PUT",
        f"/suppliers/{company_id}/sync",
        params={"mode": "delta"},
        headers=headers,
        content=rows,
        timeout=_SYNC_TIMEOUT_SECONDS,
    ).body
    while job["state"] in {"RECEIVED", "RUNNING"}:
        time.sleep(0.1)
        job = api.get(f"/suppliers/{company_id}/syncs/{job['id']}").body
    if job["state"] != "COMPLETED":
        raise RuntimeError(f"The sync was not completed: {job}")
    return job


def _list_variants(seller: Api, company_id: UUID) -> None:
    """A hundred listings by the sync that ERPs use."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        ["item_no", "variant", "brand", "unit", "price", "tax_rate", "tax_inclusive", "stock_point", "on_hand"]
    )
    for place, variant in enumerate(VARIANTS):
        writer.writerow(
            [f"S{place:03d}", variant, "北河", "t", f"{3200 + place}.50", "0.13", "true", STOCK_POINT, ON_HAND]
        )
    done = sync(seller, company_id, text.getvalue().encode(), key="listings")
    if done["counts"]["accepted"] != len(VARIANTS):
        raise RuntimeError(f"The listings were not all taken: {done}")


def multiply(url: str, *, company_id: UUID, copies: int) -> None:
    """Copy a supplier's items, offers and stock under `copies - 1` more item numbers each.

    As superuser, with references unchecked: they are those of the rows copied, and a million are done sooner.
    """
    fresh: Mapping[str, Mapping[str, str]] = {
        "items": {"id": "uuidv7()"},
        "offers": {"id": "uuidv7()"},
        "stock_levels": {},
    }
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        for table, changed in fresh.items():
            _multiply(connection, table, {"item_no": "t.item_no || '-' || n", **changed}, company_id, copies)
        connection.commit()
        connection.autocommit = True
        for table in fresh:
            connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))


def _multiply(
    connection: psycopg.Connection, table: str, changed: Mapping[str, str], company_id: UUID, copies: int
) -> None:
    names = [
        str(row[0])
        for row in connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position",
            [table],
        )
    ]
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in names)
    values = sql.SQL(", ").join(sql.SQL(changed.get(name, f't."{name}"')) for name in names)
    connection.execute(
        sql.SQL(
            "INSERT INTO {table} ({columns}) SELECT {values} FROM {table} t "
            "CROSS JOIN generate_series(2, %(copies)s) AS n WHERE t.supplier_id = %(company)s ORDER BY t.item_no, n"
        ).format(table=sql.Identifier(table), columns=columns, values=values),
        {"copies": copies, "company": company_id},
    )
