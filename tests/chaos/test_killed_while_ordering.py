"""Orders keep arriving while processes are killed: none is lost, none doubled, no stock drifts.

Eight buyers' programs each place baskets with one Idempotency-Key per basket and repeat until they hear a definite
answer, as the README tells them to. Meanwhile `orders`, `suppliers`, the worker that follows `orders` and PostgreSQL
itself are killed with SIGKILL, one after the other.
"""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from infra.credentials import Credentials
from shared import clock
from tests.journeys.test_real_processes import BUYER, Installation, installation, wait_for

pytestmark = pytest.mark.journey
__all__ = ["installation"]

STEEL = "91320500MA2DEMQ7X8"
DIAMETERS = (16, 20, 22, 25)
BUYERS = 8
BASKETS_EACH = 12
GIVE_UP_AFTER_SECONDS = 60
AWAY = (500, 502, 503, 504)


@dataclass(frozen=True)
class World:
    """What the buyers' programs know."""

    at: Installation
    buyer: dict[str, str]
    operator: dict[str, str]
    supplier: dict[str, str]
    supplier_id: str
    site: dict[str, str]
    offers: list[str]

    def url(self, path: str) -> str:
        return self.at.instance.address(path.split("/")[1]) + path

    def get(self, path: str, headers: dict[str, str]) -> Any:
        answer = httpx.get(self.url(path), headers=headers, timeout=20)
        assert answer.is_success, answer.text
        return answer.json()


def bearer(answer: httpx.Response) -> dict[str, str]:
    assert answer.is_success, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def sign_in(at: Installation, email: str, password: str) -> dict[str, str]:
    address = at.instance.address("members")
    return bearer(httpx.post(f"{address}/members/sessions", json={"email": email, "password": password}, timeout=20))


@pytest.fixture
def world(installation: Installation) -> Iterator[World]:
    installation.start()
    credentials = Credentials.load(installation.instance.credentials_file)
    key = credentials.suppliers[STEEL]
    assert credentials.operator is not None
    supplier = bearer(
        httpx.post(
            f"{installation.instance.address('members')}/members/token",
            data={"grant_type": "client_credentials", "client_id": key.client_id, "client_secret": key.client_secret},
            timeout=20,
        )
    )
    rows = [
        {
            "item_no": f"CHAOS-{diameter}", "variant": f"RB-HRB|diameter={diameter},grade=HRB400E,length=12",
            "brand": "沙钢", "stock_point": "通州库", "on_hand": "500", "price": "3300", "currency": "CNY",
            "tax_rate": "0.13", "tax_inclusive": "true", "unit": "t", "lead_time_days": "1", "audience": "MEMBERS",
        }
        for diameter in DIAMETERS
    ]  # fmt: skip
    suppliers = installation.instance.address("suppliers")
    synced = httpx.put(f"{suppliers}/suppliers/{key.company_id}/sync", json=rows, headers=supplier, timeout=60)
    assert synced.is_success, synced.text
    buyer = sign_in(installation, BUYER, credentials.people[BUYER].password)
    made = World(
        at=installation,
        buyer=buyer,
        operator=sign_in(installation, credentials.operator.email, credentials.operator.password),
        supplier=supplier,
        supplier_id=key.company_id,
        site={},
        offers=[],
    )
    project = made.get("/orders/projects", buyer)[0]
    points = made.get(f"/orders/projects/{project['id']}", buyer)["delivery_points"]
    made.site.update(project_id=project["id"], delivery_point_id=points[0]["id"])
    offers = made.get(f"/suppliers/offers?supplier_id={key.company_id}&limit=200", supplier)
    made.offers.extend(offer["id"] for offer in offers if offer["item_no"].startswith("CHAOS-"))
    assert len(made.offers) == len(DIAMETERS)
    yield made
    installation.stop()


def place_until_answered(world: World, key: str) -> dict[str, Any]:
    """The program of a careful buyer: the same key until the answer is definite."""
    need_by = (clock.business_date(clock.now()) + timedelta(days=30)).isoformat()
    lines = [{"offer_id": offer, "quantity": "1.500", "unit": "t", "need_by": need_by} for offer in world.offers]
    body = {**world.site, "currency": "CNY", "lines": lines}
    headers = world.buyer | {"Idempotency-Key": key}
    deadline = time.monotonic() + GIVE_UP_AFTER_SECONDS
    heard = "nothing"
    while time.monotonic() < deadline:
        try:
            answer = httpx.post(world.url("/orders/baskets"), json=body, headers=headers, timeout=15)
        except httpx.TransportError as error:
            heard = repr(error)
            time.sleep(0.3)
            continue
        heard = answer.text
        if answer.status_code in AWAY or answer.json().get("code") == "RequestStillRunning":
            time.sleep(0.3)
            continue
        assert answer.status_code == 201, answer.text
        return dict(answer.json())
    raise AssertionError(f"no definite answer for {key} within {GIVE_UP_AFTER_SECONDS} s, last: {heard}")


def buy(world: World, keys: list[str]) -> dict[str, dict[str, Any]]:
    return {key: place_until_answered(world, key) for key in keys}


def kill_one_after_the_other(world: World) -> None:
    database = int((world.at.instance.data_dir / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])
    for name in ("orders", "suppliers", "suppliers worker"):
        time.sleep(1.5)
        os.killpg(world.at.pids()[name], signal.SIGKILL)
    time.sleep(1.5)
    for backend in wait_for(lambda: sessions_of(database), seconds=20, what="a session to kill"):
        os.kill(backend, signal.SIGKILL)  # PostgreSQL ends every session and recovers from its log


def sessions_of(postmaster: int) -> list[int]:
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    names = {int(child): Path(f"/proc/{child}/cmdline").read_text() for child in children}
    return [child for child, name in names.items() if "orders_" in name or "suppliers_" in name][:1]


def quiet(world: World) -> bool:
    """Whether the supplier's worker has seen every order."""
    try:
        return bool(
            world.get("/suppliers/operations/followers", world.operator)
            and all(stock["reserved"] == expected_reserved() for stock in stock_of(world))
        )
    except (AssertionError, httpx.TransportError):
        return False


def expected_reserved() -> str:
    return f"{Decimal('1.500') * BUYERS * BASKETS_EACH}"


def stock_of(world: World) -> list[dict[str, Any]]:
    listed = world.get(f"/suppliers/{world.supplier_id}/stock?limit=200", world.supplier)
    return [stock for stock in listed if stock["item_no"].startswith("CHAOS-")]


def test_no_order_is_lost_or_doubled_while_processes_are_killed(world: World):
    keys = [[str(uuid4()) for _ in range(BASKETS_EACH)] for _ in range(BUYERS)]
    with ThreadPoolExecutor(BUYERS + 1) as pool:
        killing = pool.submit(kill_one_after_the_other, world)
        buying = [pool.submit(buy, world, own) for own in keys]
        killing.result()
        placed = {key: answer for each in buying for key, answer in each.result().items()}

    assert len({answer["basket_id"] for answer in placed.values()}) == BUYERS * BASKETS_EACH
    for key, answer in list(placed.items())[::7]:
        assert place_until_answered(world, key)["basket_id"] == answer["basket_id"]

    listed, address = 0, "/orders/purchase-orders?limit=200"
    while address:
        page = httpx.get(world.url(address), headers=world.buyer, timeout=20)
        listed += len(page.json())
        address = page.links.get("next", {}).get("url", "")
    assert listed == BUYERS * BASKETS_EACH

    wait_for(lambda: quiet(world), seconds=60, what="the stock to agree with the orders")
    assert world.get("/suppliers/operations/stock-drift", world.operator) == []
    assert world.get("/suppliers/operations/parked-events", world.operator) == []
    assert {Decimal(stock["on_hand"]) for stock in stock_of(world)} == {Decimal(500)}
