"""A contractor invites, one or a file of them, and follows how far they come; a code is good for one company, once."""

import asyncio
import io
from datetime import timedelta

import pytest
import xlsxwriter

from shared.clock import now
from shared.identity import Role
from shared.ids import new_id
from tests.conftest import a_person
from tests.suppliers.onboarding_world import TAX_ID, Applicant, Contractor
from tests.suppliers.world import World

OTHER_TAX_ID = "91330100MA3XYH8K24"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def test_an_invitation_is_opened_accepted_once_and_told(empty_world: World):
    gc = Contractor(empty_world)
    made = await gc.invite(tax_id=" 91320500ma2demq7x8 ", categories=["rebar"])
    assert (made["tax_id"], made["state"]) == (TAX_ID, "INVITED")
    stored = await empty_world.rows("SELECT * FROM supplier_invitations")
    assert made["code"] not in str(stored)
    assert await gc.funnel() == {"INVITED": 1}
    opened = await empty_world.call("POST", "/suppliers/invitations/opening", None, json={"code": made["code"]})
    assert (opened.status_code, opened.json()["inviter_name"]) == (200, "示范建工")
    assert await gc.funnel() == {"OPENED": 1}
    invited = Applicant(empty_world)
    answer = await invited.apply("rebar", invitation_code=made["code"])
    assert (answer.status_code, answer.json()["state"]) == (201, "REGISTERED")
    assert await gc.funnel() == {"REGISTERED": 1}
    (event,) = await empty_world.rows("SELECT data FROM events WHERE type LIKE '%invitation.accepted.v1'")
    assert event["data"] == {
        "invitation_id": made["id"],
        "group_id": str(gc.group_id),
        "company_id": str(gc.company_id),
        "supplier_id": str(invited.company_id),
        "categories": ["rebar"],
    }
    second = await invited.call("POST", "/invitation", json={"code": made["code"]})
    assert (second.status_code, second.json()["code"]) == (409, "InvitationUsed")
    assert (await gc.call("GET", params={"state": "REGISTERED"})).json()[0]["supplier_id"] == str(invited.company_id)
    assert (await gc.call("GET", params={"state": "OPENED"})).json() == []


async def test_the_inviter_sees_who_is_qualified_and_whom_its_own_group_has_admitted(empty_world: World):
    gc, invited = Contractor(empty_world), Applicant(empty_world)
    made = await gc.invite()
    assert (await invited.apply("finishes_misc", invitation_code=made["code"])).status_code == 201
    qualified = await empty_world.qualify(invited.company_id, categories=["finishes_misc"])
    assert qualified.status_code == 200, qualified.text
    assert await gc.funnel() == {"QUALIFIED": 1}
    other = await empty_world.admit(new_id(), "finishes_misc", supplier_id=invited.company_id)
    assert other.status_code == 201, other.text
    assert await gc.funnel() == {"QUALIFIED": 1}, "admitted by another group"
    own = await empty_world.admit(gc.group_id, "finishes_misc", supplier_id=invited.company_id)
    assert await gc.funnel() == {"ADMITTED": 1}
    assert (await gc.call("GET", f"/{made['id']}")).json()["state"] == "ADMITTED"
    path = f"/suppliers/admissions/{own.json()[0]['id']}/suspension"
    await empty_world.call("POST", path, empty_world.operator, version=1, json={"reason": "Late."})
    assert await gc.funnel() == {"QUALIFIED": 1}


async def test_two_companies_cannot_come_in_on_one_code(empty_world: World):
    code = (await Contractor(empty_world).invite())["code"]
    rivals = [Applicant(empty_world, tax_id=TAX_ID), Applicant(empty_world, tax_id=OTHER_TAX_ID)]
    answers = await asyncio.gather(*(each.apply(invitation_code=code) for each in rivals))
    assert sorted(each.status_code for each in answers) == [201, 409]
    assert len(await empty_world.rows("SELECT 1 FROM suppliers")) == 1


async def test_a_code_that_is_over_opens_nothing(empty_world: World):
    gc, invited = Contractor(empty_world), Applicant(empty_world)
    revoked = await gc.invite()
    stale = await gc.call("POST", f"/{revoked['id']}/revocation", version=7)
    assert stale.status_code == 412
    assert (await gc.call("POST", f"/{revoked['id']}/revocation", version=1)).json()["state"] == "REVOKED"
    expired = await gc.invite()
    await empty_world.execute(
        "UPDATE supplier_invitations SET created_at = created_at - interval '60 days', "
        "expires_at = expires_at - interval '60 days' WHERE id = :id",
        id=expired["id"],
    )
    others = await gc.invite(tax_id=OTHER_TAX_ID)
    for code, refusal in (
        (revoked["code"], "InvitationRevoked"),
        (expired["code"], "InvitationExpired"),
        (others["code"], "InvitationForAnother"),
        ("dgs_nobody-has-this-one", "InvitationCodeUnknown"),
    ):
        answer = await invited.apply(invitation_code=code)
        assert answer.json()["code"] == refusal
    assert await empty_world.rows("SELECT 1 FROM suppliers") == []
    assert await gc.funnel() == {"REVOKED": 1, "EXPIRED": 1, "INVITED": 1}
    renewed = await gc.call("POST", f"/{expired['id']}/code", version=1)
    assert (renewed.status_code, renewed.json()["state"]) == (201, "INVITED")
    assert (await invited.apply(invitation_code=expired["code"])).json()["code"] == "InvitationCodeUnknown"
    assert (await invited.apply(invitation_code=renewed.json()["code"])).status_code == 201


async def test_invitations_are_seen_by_their_own_group_alone(empty_world: World):
    gc, other = Contractor(empty_world), Contractor(empty_world)
    made = await gc.invite()
    assert (await other.call("GET", f"/{made['id']}")).status_code == 404
    assert (await other.call("POST", f"/{made['id']}/revocation", version=1)).status_code == 404
    assert await other.funnel() == {}
    sister = Contractor(empty_world, group_id=gc.group_id)
    assert await sister.funnel() == {"INVITED": 1}
    supplier = Applicant(empty_world)
    refused = await empty_world.call("POST", "/suppliers/invitations", supplier.admin, json={"name": "x"})
    assert (refused.status_code, refused.json()["code"]) == (403, "NotAContractor")
    requester = a_person(Role.REQUESTER, company_id=gc.company_id)
    assert (await empty_world.call("GET", "/suppliers/invitations", requester)).status_code == 403


@pytest.mark.parametrize(
    ("tax_id", "sentence"),
    [
        ("91320500MA2DEMQ7X9", "check digit"),
        ("320500000123456", "15 digits are an old registration number"),
        ("91320500MA2DEMQ7", "18 characters"),
        ("91320500MA2DEMQ7XI", "without I, O"),
    ],
)
async def test_a_tax_id_that_cannot_be_is_refused_by_name(empty_world: World, tax_id: str, sentence: str):
    answer = await Contractor(empty_world).call("POST", json={"name": "x", "tax_id": tax_id})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "tax_id")
    assert sentence in answer.json()["detail"]


FILE = f"""供应商名称,统一社会信用代码,邮箱,品类
示范钢铁,{TAX_ID},sales@steel.example,rebar;structural_steel
,{OTHER_TAX_ID},,
错号公司,91320500MA2DEMQ7X9,,
旧号公司,320500000123456,,rebar
重复公司,{TAX_ID},,
邮件公司,,not an address,
预制厂,{OTHER_TAX_ID},,precast
"""


async def test_a_file_invites_its_good_rows_and_names_the_bad_ones(empty_world: World):
    gc = Contractor(empty_world)
    body = FILE.encode("gb18030")
    answer = await gc.call("POST", "/files", content=body, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["invited"], told["rejected"], told["repeated"]) == (2, 5, False)
    assert [(each["row"], each["company_name"]) for each in told["invitations"]] == [(2, "示范钢铁"), (8, "预制厂")]
    assert [(each["row"], each["column"], each["code"]) for each in told["problems"]] == [
        (3, "name", "Required"),
        (4, "tax_id", "CheckDigit"),
        (5, "tax_id", "OldRegistrationNumber"),
        (6, "tax_id", "Repeated"),
        (7, "email", "Email"),
    ]
    again = (await gc.call("POST", "/files", content=body, headers={"Content-Type": "text/csv"})).json()
    assert (again["repeated"], again["invited"], again["invitations"]) == (True, 2, [])
    assert (await gc.funnel()) == {"INVITED": 2}
    code = told["invitations"][0]["code"]
    assert (await Applicant(empty_world).apply("rebar", invitation_code=code)).status_code == 201


async def test_two_hundred_come_from_a_spreadsheet(empty_world: World):
    gc = Contractor(empty_world)
    await gc.invite(tax_id=TAX_ID)
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["name", "uscc", "categories"])
        for row in range(1, 201):
            sheet.write_row(row, 0, [f"供应商{row}", TAX_ID if row == 7 else "", "rebar"])
    answer = await gc.call("POST", "/files", content=out.getvalue(), headers={"Content-Type": XLSX})
    told = answer.json()
    assert (told["invited"], told["rejected"]) == (199, 1)
    assert told["problems"] == [
        {
            "row": 8,
            "column": "tax_id",
            "code": "AlreadyInvited",
            "text": f"Your group has an open invitation for {TAX_ID}.",
        }
    ]
    assert len({each["code"] for each in told["invitations"]}) == 199
    first = await gc.call("GET", params={"limit": 150})
    rest = await empty_world.call("GET", first.headers["link"].split(">")[0].lstrip("<"), gc.buyer)
    assert (len(first.json()), len(rest.json())) == (150, 50)


async def test_a_file_that_cannot_be_read_invites_nobody(empty_world: World):
    gc = Contractor(empty_world)
    for body, kind, status, code in (
        (b"company;mail\n", "application/json", 415, "InvitationFileNotRead"),
        (b"who,when\nx,y\n", "text/csv", 422, "ColumnMissing"),
        (b"", "text/csv", 422, "EmptyFile"),
        (b"name\n\xff\xff\xff\n", "text/csv", 422, "EncodingNotRead"),
        (b"PK\x03\x04 not a sheet", XLSX, 422, "NotASpreadsheet"),
        (b"name\n" + b"x\n" * 2001, "text/csv", 422, "TooManyRows"),
        (b"name\n" + b"x" * 5_000_000, "text/csv", 413, "TooLarge"),
    ):
        answer = await gc.call("POST", "/files", content=body, headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["code"]) == (status, code), code
    assert await gc.funnel() == {}


async def test_an_invitation_outlives_no_day_too_many(empty_world: World):
    made = await Contractor(empty_world).invite()
    rows = await empty_world.rows("SELECT expires_at - created_at AS lasts FROM supplier_invitations")
    assert rows[0]["lasts"] == timedelta(days=30)
    assert made["expires_at"] > now().isoformat()
    assert (
        await empty_world.call("GET", f"/suppliers/invitations/{new_id()}", Contractor(empty_world).buyer)
    ).status_code == 404
