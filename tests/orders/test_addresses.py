"""What stands in an address is anybody's: cursors that were made up, characters no database holds."""

import base64
import hashlib
from typing import Any

import orjson
import pytest

from tests.orders.conftest import World

LISTS = ("/orders/purchase-orders", "/orders/projects")


def forged(path: str, *key: Any) -> str:
    """A cursor that fits its query and holds what no page ever ended with."""
    fingerprint = hashlib.sha256(f"{path}?".encode()).hexdigest()[:12]
    return base64.urlsafe_b64encode(orjson.dumps([fingerprint, *key])).decode().rstrip("=")


@pytest.mark.parametrize("path", LISTS)
async def test_a_forged_cursor_is_refused(world: World, path: str) -> None:
    for key in [(), ("zz",), (5,), (None,), (True,), ([],), ({},), ("\x00",), (1e300,), ("a", "b")]:
        answer = await world.read(world.buyer, path, cursor=forged(path, *key))

        assert (answer.status_code, answer.json()["code"]) == (422, "CursorInvalid"), key


@pytest.mark.parametrize(("path", "name"), [("/orders/purchase-orders", "number"), ("/orders/projects", "text")])
async def test_control_characters_in_a_query_are_refused_by_name(world: World, path: str, name: str) -> None:
    for value in ("\x00", "PO-\x00", "a\nb", "\x7f"):
        answer = await world.read(world.buyer, path, **{name: value})

        assert answer.status_code == 422, value
        assert [error["field"] for error in answer.json()["errors"]] == [name]


async def test_any_other_text_may_be_asked_for(world: World) -> None:
    for number in ("PO-2026-000001", "螺纹", "%_\\"):
        assert (await world.read(world.buyer, "/orders/purchase-orders", number=number)).json() == []
