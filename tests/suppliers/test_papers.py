"""Papers are handed in as files, kept whole or not at all, corrected by new ones, and read by those who may."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.suppliers.papers.jobs import sweep_papers
from shared.database import transaction
from shared.identity import Role
from shared.ids import new_id
from tests.conftest import a_person, once, signed_in
from tests.suppliers.conftest import CreateWorld
from tests.suppliers.onboarding_world import JPEG, PNG, TODAY, Applicant, pdf
from tests.suppliers.test_looking import HOSTILE
from tests.suppliers.world import World


@pytest.fixture
async def applicant(empty_world: World) -> Applicant:
    applicant = Applicant(empty_world)
    assert (await applicant.apply("rebar")).status_code == 201
    return applicant


def files_in(world: World) -> list[str]:
    return [str(path.relative_to(world.folder)) for path in (world.folder / "papers").rglob("*") if path.is_file()]


async def test_a_paper_is_kept_byte_for_byte_and_served_as_an_attachment(applicant: Applicant):
    body = pdf()
    paper = await applicant.given("production_permit", body=body, category=["rebar"], file_name="许可证.pdf")
    assert (paper["state"], paper["media_type"], paper["size_bytes"]) == ("given", "application/pdf", len(body))
    assert files_in(applicant.world) == [f"papers/{applicant.company_id}/{paper['id']}"]
    read = await applicant.call("GET", f"/papers/{paper['id']}/file")
    assert (read.status_code, read.content, read.headers["etag"]) == (200, body, f'"{paper["file_sha256"]}"')
    assert read.headers["content-disposition"].startswith("attachment")
    assert read.headers["x-content-type-options"] == "nosniff"
    assert (await applicant.given("iso", body=JPEG, file_name="iso.jpg"))["media_type"] == "image/jpeg"


async def test_the_same_file_again_is_the_same_paper(applicant: Applicant):
    body = pdf()
    first = await applicant.given("business_licence", body=body)
    again = await applicant.give("business_licence", body=body)
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    assert len(files_in(applicant.world)) == 1
    other = await applicant.give("business_licence", body=body, number="No. 2")
    assert (other.status_code, other.json()["code"]) == (409, "PaperFileKnown")
    corrected = await applicant.given("business_licence", body=body, number="No. 2", replaces=first["id"])
    papers = (await applicant.call("GET", "/papers")).json()
    assert [(each["number"], each["replaced_by"]) for each in papers] == [("No. 1", corrected["id"]), ("No. 2", None)]
    third = await applicant.give("business_licence", number="No. 3", replaces=first["id"])
    assert (third.status_code, third.json()["code"]) == (409, "PaperReplacedAlready")
    with pytest.raises(DBAPIError, match="permission denied"):
        await applicant.world.execute("UPDATE supplier_papers SET number = 'forged'")


async def test_a_file_that_is_refused_leaves_nothing(applicant: Applicant):
    scripted = pdf(HOSTILE["script when opened"][0])
    for body, name, code in (
        (scripted, "licence.pdf", "PdfJavaScript"),
        (PNG, "licence.pdf", "NameNotOfType"),
        (b"MZ" + bytes(50), "licence.pdf", "TypeNotTaken"),
        (pdf()[:200], "licence.pdf", "PdfDamaged"),
        (b"", "licence.pdf", "EmptyFile"),
    ):
        answer = await applicant.give("business_licence", body=body, file_name=name)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert answer.json()["errors"][0]["rule"] == code
    assert files_in(applicant.world) == []
    assert (await applicant.call("GET", "/papers")).json() == []
    logged = await applicant.world.rows(
        "SELECT entry ->> 'outcome' AS outcome FROM audit_entries WHERE owner_id = :id ORDER BY at",
        id=applicant.company_id,
    )
    outcomes = [each["outcome"] for each in logged]
    assert outcomes == ["done", "PdfJavaScript", "NameNotOfType", "TypeNotTaken", "PdfDamaged", "EmptyFile"]


async def test_a_body_of_two_gigabytes_is_cut_off_early(create_world: CreateWorld):
    """Both when its length is declared and when it just goes on; what had arrived is gone."""
    applicant = Applicant(create_world(paper_limit_bytes=300_000))
    await applicant.apply("rebar")
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 2 * 1024**3:
            sent += 65_536
            yield b"%PDF-1.7" + bytes(65_528)

    said = {"kind": "iso", "issuer": "x", "number": "1", "valid_from": "2026-01-01", "file_name": "a.pdf"}
    headers = signed_in(applicant.admin) | once()
    path = f"{applicant.path}/papers"
    answer = await applicant.world.http.post(path, params=said, content=endless(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "PaperTooLarge")
    assert sent <= 6 * 65_536
    declared = headers | {"Content-Length": str(2 * 1024**3)}
    answer = await applicant.world.http.post(path, params=said, content=b"%PDF", headers=declared)
    assert answer.status_code == 413
    assert files_in(applicant.world) == []


async def test_particulars_that_cannot_be_are_refused_by_name(applicant: Applicant):
    day = timedelta(days=1)
    for kind, particulars, field, rule in (
        ("iso", {"category": ["rebar"]}, "category", "CompanyWide"),
        ("ccc", {"valid_until": (TODAY - 60 * day).isoformat()}, "valid_until", "Order"),
        ("ccc", {"valid_until": (TODAY - day).isoformat()}, "valid_until", "NotEnded"),
        ("ccc", {"valid_from": (TODAY + day).isoformat()}, "valid_from", "BegunOrFollows"),
        ("ccc", {"replaces": str(new_id())}, "replaces", "SameKind"),
    ):
        answer = await applicant.give(kind, **particulars)
        error = answer.json()["errors"][0]
        assert (answer.status_code, error["field"], error["rule"]) == (422, field, rule)
    for name, value in (("file_name", "../../etc/passwd.pdf"), ("valid_from", "yesterday"), ("number", "")):
        malformed: dict[str, Any] = {name: value}
        answer = await applicant.give("ccc", **malformed)
        assert (answer.status_code, answer.json()["code"]) == (422, "MalformedRequest"), name
    assert (await applicant.give("horoscope")).status_code == 422
    ending = (TODAY + 10 * day).isoformat()
    await applicant.given("ccc", valid_until=ending)
    renewed = await applicant.give("ccc", valid_from=(TODAY + 11 * day).isoformat())
    assert renewed.status_code == 201, "a renewal may begin where the present one ends"


async def test_papers_are_read_by_the_owner_and_operators_alone(applicant: Applicant):
    world = applicant.world
    paper = await applicant.given("tax_status")
    strangers = (
        world.buyer,
        Applicant(world).admin,
        a_person(Role.ADMIN, company_id=new_id(), group_id=applicant.company_id),
    )
    for path in ("/papers", f"/papers/{paper['id']}", f"/papers/{paper['id']}/file"):
        for stranger in strangers:
            assert (await world.call("GET", f"{applicant.path}{path}", stranger)).status_code == 404, path
        assert (await world.call("GET", f"{applicant.path}{path}", world.operator)).status_code == 200
        assert (await world.call("GET", f"{applicant.path}{path}", None)).status_code == 401
    assert (await applicant.give("iso", caller=strangers[1])).status_code == 404
    assert (await applicant.give("iso", caller=a_person(Role.SUPPLIER_FINANCE))).status_code == 403
    unknown = await applicant.call("GET", f"/papers/{new_id()}")
    assert unknown.status_code == 404


async def test_a_paper_is_looked_at_by_another_company(applicant: Applicant):
    paper = await applicant.given("tax_status")
    (waiting,) = (await applicant.world.call("GET", "/suppliers/papers", applicant.world.operator)).json()
    assert (waiting["id"], waiting["supplier_name"]) == (paper["id"], "示范钢铁")
    own = a_person(Role.OPERATOR, company_id=applicant.company_id)
    parent = a_person(Role.OPERATOR, group_id=applicant.company_id)
    path = f"{applicant.path}/papers/{paper['id']}/check"
    for judge in (own, parent):
        refused = await applicant.world.call("POST", path, judge, json={"outcome": "accepted"})
        assert (refused.status_code, refused.json()["code"]) == (403, "ReviewedByOwnCompany")
    assert (await applicant.check(paper, "refused")).status_code == 422
    assert (await applicant.check(paper, "refused", "The seal cannot be read.")).json()["state"] == "refused"
    accepted = (await applicant.check(paper)).json()
    assert (accepted["state"], accepted["verified_by"]) == ("accepted", "Test Person")
    with pytest.raises(DBAPIError, match="permission denied"):
        async with transaction(applicant.world.database.app, applicant.company_id) as session:
            await session.execute(text("INSERT INTO supplier_paper_checks SELECT * FROM supplier_paper_checks"))


async def test_what_a_killed_process_left_behind_is_swept(applicant: Applicant):
    world = applicant.world
    paper = await applicant.given("tax_status")
    folder = world.app.state.paper_folder
    old = [folder.incoming(new_id()), folder.path_of(supplier_id=applicant.company_id, paper_id=new_id())]
    fresh = folder.incoming(new_id())
    for path in (*old, fresh):
        path.write_bytes(b"x")
    kept = folder.path_of(supplier_id=applicant.company_id, paper_id=paper["id"])
    for path in (*old, kept):
        os.utime(path, (0, 0))
    assert await sweep_papers(world.database, folder) == 2
    assert (kept.exists(), fresh.exists(), [path.exists() for path in old]) == (True, True, [False, False])
