"""The supplier's record: decided by operators, with a history that shows tampering."""

from shared.history import first_broken
from shared.identity import Role, Scope
from shared.ids import new_id
from tests.conftest import a_person, a_service
from tests.suppliers.world import World


async def test_a_supplier_is_registered_with_the_identity_members_knows(empty_world: World):
    answer = await empty_world.register()
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert answer.json()["name"] == "示范钢铁"
    assert answer.json()["status"] == "REGISTERED"
    assert (await empty_world.register()).json()["code"] == "AlreadySupplier"


async def test_only_an_active_supplier_company_can_be_registered(empty_world: World):
    for kinds, status in ((["contractor"], "ACTIVE"), (["supplier"], "SUSPENDED")):
        company_id = new_id()
        empty_world.members.add(company_id, kinds=kinds, status=status)
        answer = await empty_world.call(
            "POST", "/suppliers", empty_world.operator, json={"company_id": str(company_id)}
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "NotASupplierCompany")
    unknown = await empty_world.call("POST", "/suppliers", empty_world.operator, json={"company_id": str(new_id())})
    assert unknown.json()["code"] == "NotASupplierCompany"


async def test_only_operators_decide(world: World):
    path = f"/suppliers/{world.supplier_id}"
    for caller in (world.erp, world.buyer, a_person(Role.ADMIN, company_id=world.supplier_id)):
        assert (await world.call("POST", "/suppliers", caller, json={"company_id": str(new_id())})).status_code == 403
        for step in ("qualification", "suspension", "exit"):
            assert (await world.call("POST", f"{path}/{step}", caller, version=2, json={})).status_code == 403
    assert (await world.call("GET", path, world.buyer)).status_code == 200
    assert (await world.call("GET", path, None)).status_code == 401
    assert (await world.call("GET", f"/suppliers/{new_id()}", world.buyer)).status_code == 404


async def test_a_qualification_is_renewed_suspended_and_ended(world: World):
    path = f"/suppliers/{world.supplier_id}"
    assert (await world.qualify(version=1)).status_code == 412
    assert (await world.qualify(version=2, until="2020-01-01")).json()["code"] == "QualifiedUntilPassed"
    renewed = await world.qualify(version=2, categories=["rebar"], regions=["31", "11"], until="2099-12-31")
    assert (renewed.json()["regions"], renewed.json()["qualified_until"]) == (["11", "31"], "2099-12-31")
    for step, version, status in (("suspension", 3, "SUSPENDED"), ("exit", 4, "EXITED")):
        answer = await world.call("POST", f"{path}/{step}", world.operator, version=version, json={"reason": "why"})
        assert answer.json()["status"] == status
    assert (await world.qualify(version=5)).json()["code"] == "StatusForbids"


async def test_every_decision_is_told_and_chained(world: World):
    path = f"/suppliers/{world.supplier_id}"
    await world.call("POST", f"{path}/suspension", world.operator, version=2, json={"reason": "Licence expired."})
    entries = (await world.call("GET", f"{path}/history", world.operator)).json()
    assert [entry["entry"]["decision"] for entry in entries] == ["registered", "qualified", "suspended"]
    chain = [(entry["entry"], bytes.fromhex(entry["hash"])) for entry in entries]
    assert first_broken(chain) is None
    chain[1][0]["reason"] = "another"
    assert first_broken(chain) == 1
    assert (await world.call("GET", f"{path}/history", world.erp)).status_code == 200
    assert (await world.call("GET", f"{path}/history", world.buyer)).status_code == 404
    assert len((await world.call("GET", f"{path}/history", world.erp)).json()) == len(entries)
    other = new_id()
    await world.register(other)
    assert (await world.call("GET", f"/suppliers/{other}/history", world.erp)).status_code == 404
    assert len((await world.call("GET", f"/suppliers/{other}/history", world.operator)).json()) == 1
    events = await world.rows(
        "SELECT data FROM events WHERE type LIKE '%supplier.changed%' AND subject <> :other ORDER BY txid, seq",
        other=str(other),
    )
    assert [event["data"]["status"] for event in events] == ["REGISTERED", "QUALIFIED", "SUSPENDED"]


async def test_suppliers_are_listed(world: World):
    for _ in range(2):
        await world.register(new_id())
    first = await world.call("GET", "/suppliers?limit=2", world.buyer)
    assert len(first.json()) == 2
    rest = await world.call("GET", first.headers["link"].split(">")[0].lstrip("<"), world.buyer)
    assert len(rest.json()) == 1
    qualified = await world.call("GET", "/suppliers", world.buyer, params={"status": "QUALIFIED"})
    assert [row["company_id"] for row in qualified.json()] == [str(world.supplier_id)]


async def test_the_feed_is_for_services(world: World):
    assert (await world.call("GET", "/suppliers/feed", world.buyer)).status_code == 403
    answer = await world.call("GET", "/suppliers/feed", a_service(Scope.FEED_READ))
    assert answer.status_code == 200
