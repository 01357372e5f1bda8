"""How many orders are under way at a supplier: a number for the service that merges records, nothing more."""

from shared.clients.orders import OpenOrdersClient
from shared.clients.transport import FixedToken, ServiceClient
from shared.identity import Role, Scope
from shared.ids import new_id
from tests.conftest import a_person, a_service, signed_in, token_for
from tests.orders.conftest import World, steel

COUNTER = a_service(Scope.ORDERS_COUNT)


async def test_open_orders_are_counted_until_they_end(world: World):
    bar, *_ = steel(world)
    service = ServiceClient("orders", world.http, FixedToken(token_for(COUNTER)))
    orders = OpenOrdersClient(service)
    assert await orders.open_orders(supplier_id=bar.supplier_id) == 0
    await world.placed(world.line(bar))
    basket = await world.placed(world.line(bar))
    assert await orders.open_orders(supplier_id=bar.supplier_id) == 2
    assert await orders.open_orders(supplier_id=new_id()) == 0
    order = await world.order(world.buyer, basket["orders"][0]["id"])
    cancelled = await world.act(world.buyer, order, "cancellation", {"reason": "Not needed."})
    assert cancelled.status_code == 200, cancelled.text
    assert await orders.open_orders(supplier_id=bar.supplier_id) == 1


async def test_nobody_else_is_told(world: World):
    path = f"/orders/open-orders/{new_id()}"
    for caller in (a_person(Role.OPERATOR), a_person(Role.SUPPLIER_SALES), a_service(Scope.FEED_READ)):
        assert (await world.http.get(path, headers=signed_in(caller))).status_code == 403
    body = await world.http.get(path, headers=signed_in(COUNTER))
    assert set(body.json()) == {"supplier_id", "orders"}
