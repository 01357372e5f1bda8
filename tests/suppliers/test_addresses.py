"""What stands in an address is anybody's: cursors that were made up, characters no database holds."""

import base64
import hashlib
from typing import Any

import orjson
import pytest

from tests.suppliers.world import World, new_items

LISTS = ("/suppliers", "/suppliers/offers", "/suppliers/{id}/stock", "/suppliers/{id}/history")
OF_OPERATORS = ("/suppliers/papers", "/suppliers/applications", "/suppliers/identities", "/suppliers/invitations")


def forged(path: str, *key: Any) -> str:
    """A cursor that fits its query and holds what no page ever ended with."""
    fingerprint = hashlib.sha256(f"{path}?".encode()).hexdigest()[:12]
    return base64.urlsafe_b64encode(orjson.dumps([fingerprint, *key])).decode().rstrip("=")


@pytest.mark.parametrize("listed", LISTS + OF_OPERATORS)
async def test_a_forged_cursor_is_refused(world: World, listed: str):
    path = listed.format(id=world.supplier_id)
    caller = world.operator if listed in OF_OPERATORS else world.erp
    keys: list[tuple[Any, ...]] = [
        (),
        ("zz",),
        (None,),
        ([],),
        ({},),
        ("\x00",),
        ("a\x00", "b"),
        (10**18,),
        (1e300,),
        (1, 2, 3),
    ]
    for key in keys:
        answer = await world.call("GET", path, caller, params={"cursor": forged(path, *key)})
        assert (answer.status_code, answer.json()["code"]) == (422, "CursorInvalid"), key


@pytest.mark.parametrize(
    ("listed", "name"),
    [("/suppliers/offers", "item_no"), ("/suppliers/{id}/stock", "item_no"), ("/suppliers/{id}/stock", "stock_point")],
)
async def test_control_characters_in_a_query_are_refused_by_name(world: World, listed: str, name: str):
    path = listed.format(id=world.supplier_id)
    for value in ("\x00", "a\x00b", "a\nb", "\x7f"):
        answer = await world.call("GET", path, world.erp, params={name: value})
        assert answer.status_code == 422, value
        assert [error["field"] for error in answer.json()["errors"]] == [name]


async def test_a_count_is_of_this_time(world: World):
    await world.synced(new_items("A-1"))
    path = f"/suppliers/{world.supplier_id}/stock/A-1/main"
    for as_of, code in (
        ("0001-01-01T00:00:00+14:00", "MalformedRequest"),
        ("1999-12-31T23:59:59Z", "MalformedRequest"),
        ("9999-12-31T23:59:59-14:00", "CountInTheFuture"),
    ):
        answer = await world.call("PUT", path, world.erp, json={"on_hand": "1", "as_of": as_of})
        assert (answer.status_code, answer.json()["code"]) == (422, code), as_of
