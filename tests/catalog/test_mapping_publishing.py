"""What others see of a mapping, from when, until when, and how it is taken back."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared import clock
from shared.database import transaction
from shared.identity import Role, Scope
from shared.ids import new_id
from tests.catalog.mapping_world import BAR, BAR_ROW, Mapping, a_colleague, csv_file
from tests.conftest import a_person, a_service, signed_in


async def test_nothing_is_visible_before_a_second_person_approves(mapping: Mapping):
    job = await mapping.imported(csv_file(BAR_ROW))
    assert (job["state"], job["rows_taken"], job["rows"]["AUTO_ACCEPTED"]) == ("IN_REVIEW", 1, 1)
    assert await mapping.meaning("A-001") == []
    own = await mapping.approve(job, as_=mapping.importer)
    assert (own.status_code, own.json()["code"]) == (403, "OwnImport")
    await mapping.accept_sample(job)
    assert (await mapping.approve(job)).json()["state"] == "APPROVED"
    assert await mapping.meaning("A-001") == []
    await mapping.work()
    assert (await mapping.job(job["id"]))["state"] == "PUBLISHED"
    assert await mapping.meaning("a-001") == [BAR]


async def test_publishing_makes_the_variant_that_nobody_used_before(mapping: Mapping):
    await mapping.published(csv_file(BAR_ROW))
    found = await mapping.http.get(f"/catalog/variants/{BAR}")
    assert found.status_code == 200


async def test_a_code_is_found_by_its_company_and_the_group_it_was_published_for_and_nobody_else(mapping: Mapping):
    await mapping.published(csv_file(BAR_ROW))
    sister = a_person(Role.BUYER, group_id=mapping.importer.group_id)
    assert await mapping.meaning("A-001", as_=sister) == []
    await mapping.published(csv_file("G-001,钢筋,三级抗震 Φ20 12米,吨"), for_group=True)
    assert await mapping.meaning("G-001", as_=sister) == [BAR]
    assert await mapping.meaning("G-001", as_=a_person(Role.BUYER, group_id=new_id())) == []
    assert await mapping.meaning("A-001", as_=a_person(Role.BUYER)) == []
    operator = a_person(Role.OPERATOR)
    assert await mapping.meaning("A-001", as_=operator, company_id=str(mapping.company)) == [BAR]


async def test_a_later_file_ends_the_version_before_it_and_documents_keep_theirs(mapping: Mapping):
    await mapping.published(csv_file(BAR_ROW))
    job = await mapping.imported(csv_file("A-001,钢筋,三级抗震 Φ22 12米,吨"))
    await mapping.post(f"/mapping-jobs/{job['id']}/acceptances", {"states": ["AUTO_ACCEPTED"]})
    tomorrow = clock.business_date(clock.now()) + timedelta(days=1)
    assert (await mapping.approve(job, effective_from=tomorrow.isoformat())).status_code == 200
    await mapping.work()
    assert await mapping.meaning("A-001") == [BAR]
    assert await mapping.meaning("A-001", on=tomorrow.isoformat()) == [BAR.replace("20", "22")]
    versions = (await mapping.get("/mappings/versions", code="A-001")).json()
    assert [(each["version"], each["valid_until"]) for each in versions] == [(2, None), (1, tomorrow.isoformat())]


async def test_the_same_meaning_again_makes_no_new_version(mapping: Mapping):
    await mapping.published(csv_file(BAR_ROW))
    again = await mapping.published(csv_file(BAR_ROW, "A-002,钢筋,三级抗震 Φ25 12米,吨"))
    assert again["rows_published"] == 1
    assert len((await mapping.get("/mappings/versions", code="A-001")).json()) == 1


async def test_a_rollback_brings_back_what_was_replaced(mapping: Mapping):
    await mapping.published(csv_file(BAR_ROW))
    second = await mapping.published(csv_file("A-001,钢筋,三级抗震 Φ22 12米,吨"))
    assert await mapping.meaning("A-001") == [BAR.replace("20", "22")]
    rolled = await mapping.post(f"/mapping-jobs/{second['id']}/rollback", {"note": "wrong file"})
    assert rolled.json()["state"] == "ROLLED_BACK"
    assert await mapping.meaning("A-001") == [BAR]
    assert {row["state"] for row in await mapping.rows(second)} == {"RETIRED"}
    again = await mapping.send(csv_file("A-001,钢筋,三级抗震 Φ22 12米,吨"))
    assert again.status_code == 202


async def test_what_a_live_document_uses_is_only_corrected(mapping: Mapping):
    job = await mapping.published(csv_file(BAR_ROW))
    (used,) = (await mapping.get("/mappings", code="A-001")).json()
    body = {"company_id": str(mapping.company), "mapping_ids": [used["id"]]}
    marked = await mapping.http.post(
        "/catalog/mappings/used", json=body, headers=signed_in(a_service(Scope.VARIANTS_RESOLVE))
    )
    assert marked.status_code == 204
    refused = await mapping.post(f"/mapping-jobs/{job['id']}/rollback", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "MappingInUse")
    assert (await mapping.job(job["id"]))["state"] == "PUBLISHED"
    await mapping.published(csv_file("A-001,钢筋,三级抗震 Φ22 12米,吨"))
    assert await mapping.meaning("A-001") == [BAR.replace("20", "22")]


async def test_what_was_replaced_is_not_rolled_back_under_its_successor(mapping: Mapping):
    first = await mapping.published(csv_file(BAR_ROW))
    await mapping.published(csv_file("A-001,钢筋,三级抗震 Φ22 12米,吨"))
    refused = await mapping.post(f"/mapping-jobs/{first['id']}/rollback", {})
    assert refused.json()["code"] == "MappingSuperseded"


async def test_a_mapping_used_by_nobody_known_is_not_there(mapping: Mapping):
    body = {"company_id": str(mapping.company), "mapping_ids": [str(new_id())]}
    answer = await mapping.http.post(
        "/catalog/mappings/used", json=body, headers=signed_in(a_service(Scope.VARIANTS_RESOLVE))
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "MappingNotFound")


async def test_mappings_take_no_effect_in_the_past(mapping: Mapping):
    job = await mapping.imported(csv_file(BAR_ROW))
    await mapping.accept_sample(job)
    refused = await mapping.approve(job, effective_from="2020-01-01")
    assert refused.json()["code"] == "EffectiveDateWrong"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE code_mappings SET variant_key = 'x'",
        "UPDATE code_mappings SET valid_from = valid_from + 1",
        "DELETE FROM code_mappings",
        "UPDATE mapping_history SET who = 'nobody'",
        "DELETE FROM mapping_history",
    ],
)
async def test_what_was_published_cannot_be_rewritten(mapping: Mapping, statement: str):
    await mapping.published(csv_file(BAR_ROW))
    with pytest.raises(DBAPIError, match="permission denied"):
        async with transaction(mapping.database.app, mapping.company) as session:
            await session.execute(text(statement))


@pytest.mark.parametrize(
    "table", ["mapping_jobs", "mapping_rows", "mapping_row_errors", "mapping_history", "code_mappings"]
)
async def test_another_company_sees_none_of_it_even_without_the_routes(mapping: Mapping, table: str):
    await mapping.published(csv_file(BAR_ROW, "A-009,,,"))
    async with transaction(mapping.database.app, new_id()) as session:
        assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    async with transaction(mapping.database.app, mapping.company) as session:
        assert await session.scalar(text(f"SELECT count(*) FROM {table}")) > 0


async def test_the_database_keeps_importer_and_reviewer_apart(mapping: Mapping):
    job = await mapping.imported(csv_file(BAR_ROW))
    values: dict[str, Any] = {"id": job["id"], "who": mapping.importer.subject}
    for statement in (
        "UPDATE mapping_jobs SET approved_by = :who, approved_at = now() WHERE id = :id",
        "UPDATE mapping_rows SET decided_by = :who, decided_at = now() WHERE job_id = :id",
    ):
        with pytest.raises(DBAPIError, match="two_people"):
            async with transaction(mapping.database.app, mapping.company) as session:
                await session.execute(text(statement), values)


async def test_who_did_what_is_kept(mapping: Mapping):
    job = await mapping.published(csv_file(BAR_ROW))
    entries = (await mapping.get(f"/mapping-jobs/{job['id']}/history")).json()
    of_job = [(each["before"], each["after"]) for each in entries if each["row_no"] is None]
    states = ["UPLOADED", "PARSED", "VALIDATED", "MATCHED", "IN_REVIEW", "APPROVED", "PUBLISHED"]
    assert of_job == list(zip([None, *states[:-1]], states, strict=True))
    approved = next(each for each in entries if each["after"] == "APPROVED")
    assert approved["who"] == str(mapping.reviewer.subject)


async def test_a_colleague_of_another_role_reads_but_does_not_decide(mapping: Mapping):
    job = await mapping.imported(csv_file(BAR_ROW))
    requester = a_colleague(mapping.importer, Role.REQUESTER)
    assert (await mapping.get(f"/mapping-jobs/{job['id']}", as_=requester)).status_code == 200
    assert (await mapping.approve(job, as_=requester)).status_code == 403


async def test_an_approver_of_the_company_is_the_second_person(mapping: Mapping):
    job = await mapping.imported(csv_file(BAR_ROW))
    approver = a_colleague(mapping.importer, Role.APPROVER)
    accepted = await mapping.post(f"/mapping-jobs/{job['id']}/acceptances", {"states": ["AUTO_ACCEPTED"]}, as_=approver)
    approved = await mapping.approve(job, as_=approver)
    assert (accepted.status_code, approved.status_code) == (200, 200)
