"""Other services take supplier companies in: once each, unchanged when known, with a number whose check digit holds."""

from shared.clients.members import MembersClient
from shared.clients.transport import FixedToken, ServiceClient
from shared.identity import Role, Scope
from tests.conftest import a_person, a_service, once, signed_in, token_for
from tests.members.conftest import World, a_uscc

PATH = "/members/supplier-companies"
REGISTRAR = a_service(Scope.COMPANIES_REGISTER)


async def test_a_company_is_taken_in_once_and_then_known(world: World):
    service = ServiceClient("members", world.http, FixedToken(token_for(REGISTRAR)))
    members, tax_id = MembersClient(service), a_uscc()
    first = await members.take_in_supplier(tax_id=tax_id.lower(), name_zh="甲有限公司", branch=False, key="a")
    repeated = await members.take_in_supplier(tax_id=tax_id.lower(), name_zh="甲有限公司", branch=False, key="a")
    renamed = await members.take_in_supplier(tax_id=tax_id, name_zh="乙有限公司", branch=False, key="b")
    assert first.id == repeated.id == renamed.id
    assert (renamed.name, first.kinds, first.tax_id.value, first.status) == (
        "甲有限公司",
        ["supplier"],
        tax_id,
        "ACTIVE",
    )
    branch = await members.take_in_supplier(tax_id=a_uscc(), name_zh="甲分公司", branch=True, key="c")
    assert (branch.kinds, branch.id != first.id) == (["branch", "supplier"], True)


async def test_a_number_that_cannot_be_is_refused(world: World):
    body = {"tax_id": "91350100M000100Y44", "name_zh": "甲有限公司"}
    answer = await world.http.post(PATH, json=body, headers=signed_in(REGISTRAR) | once())
    assert (answer.status_code, answer.json()["code"]) == (422, "TaxIdRefused")


async def test_only_a_service_with_the_scope_takes_companies_in(world: World):
    body = {"tax_id": a_uscc(), "name_zh": "甲有限公司"}
    for caller in (a_person(Role.OPERATOR), a_person(Role.ADMIN), a_service(Scope.COMPANIES_READ)):
        answer = await world.http.post(PATH, json=body, headers=signed_in(caller) | once())
        assert (answer.status_code, answer.json()["code"]) == (403, "RightMissing")
