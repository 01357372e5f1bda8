"""What the database itself refuses of onboarding, whatever the code above it does."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.database import transaction
from shared.ids import new_id
from tests.suppliers.onboarding_world import Applicant, Contractor
from tests.suppliers.world import World

OWN = ("supplier_papers", "supplier_paper_checks", "supplier_identities", "supplier_applications", "expiry_warnings")
OF_THE_GROUP = ("supplier_invitations", "supplier_invitation_files")


@pytest.fixture
async def settled(empty_world: World) -> tuple[Applicant, Contractor]:
    """A qualified supplier that came in on an invitation from a file, with everything onboarding writes."""
    gc, applicant = Contractor(empty_world), Applicant(empty_world)
    body = "name\n示范钢铁\n".encode()
    told = (await gc.call("POST", "/files", content=body, headers={"Content-Type": "text/csv"})).json()
    await applicant.apply(invitation_code=told["invitations"][0]["code"])
    await applicant.verified()
    await applicant.qualified()
    await empty_world.execute(
        "INSERT INTO expiry_warnings SELECT company_id, 'identity', company_id, '2026-01-01', 0, now() FROM suppliers"
    )
    return applicant, gc


async def test_rows_of_onboarding_belong_to_the_supplier_or_the_inviting_group(settled: tuple[Applicant, Contractor]):
    applicant, gc = settled
    database = applicant.world.database
    for tables, owner, other in (
        (OWN, applicant.company_id, gc.group_id),
        (OF_THE_GROUP, gc.group_id, applicant.company_id),
    ):
        for table in tables:
            seen = []
            for scope in ((owner,), (other,), (new_id(),), ()):
                async with transaction(database.app, *scope) as session:
                    seen.append(await session.scalar(text(f"SELECT count(*) > 0 FROM {table}")))
            assert seen == [True, False, False, False], table


FORBIDDEN = [
    (
        "INSERT INTO supplier_paper_checks SELECT supplier_id, paper_id, 2, 'accepted', '', by_id, by_name, "
        "by_company, now() FROM supplier_paper_checks LIMIT 1"
    ),
    "UPDATE supplier_paper_checks SET outcome = 'accepted'",
    "UPDATE supplier_papers SET valid_until = '2099-12-31'",
    "DELETE FROM supplier_papers",
    "DELETE FROM expiry_warnings",
    (
        "INSERT INTO expiry_warnings SELECT supplier_id, 'paper', supplier_id, '2026-01-01', 0, now() "
        "FROM supplier_identities"
    ),
]


async def test_a_supplier_cannot_judge_its_papers_or_change_them(settled: tuple[Applicant, Contractor]):
    applicant, _ = settled
    for change in FORBIDDEN:
        with pytest.raises(DBAPIError, match="permission denied"):
            async with transaction(applicant.world.database.app, applicant.company_id) as session:
                await session.execute(text(change))


IMPOSSIBLE = [
    "UPDATE supplier_applications SET reviewer_company = supplier_id",
    "UPDATE supplier_identities SET decided_by_company = supplier_id",
    (
        "INSERT INTO supplier_paper_checks SELECT supplier_id, paper_id, 9, 'accepted', '', by_id, by_name, "
        "supplier_id, now() FROM supplier_paper_checks LIMIT 1"
    ),
    (
        "INSERT INTO supplier_paper_checks SELECT supplier_id, paper_id, 9, 'refused', '', by_id, by_name, "
        "by_company, now() FROM supplier_paper_checks LIMIT 1"
    ),
    "UPDATE supplier_applications SET granted = '{mep}'",
    "UPDATE supplier_applications SET level = NULL",
    "UPDATE supplier_applications SET state = 'GREAT'",
    "UPDATE supplier_applications SET categories = '{}'",
    "UPDATE supplier_applications SET reviewer_id = NULL",
    "UPDATE supplier_identities SET state = 'GIVEN'",
    "UPDATE supplier_identities SET due_on = NULL",
    "UPDATE supplier_identities SET document_tail = '11010519491231002X'",
    "UPDATE supplier_invitations SET revoked_at = now()",
    "UPDATE supplier_invitations SET supplier_id = NULL",
    "UPDATE supplier_invitations SET expires_at = created_at",
    "UPDATE suppliers SET level = 'Z'",
    "UPDATE suppliers SET paper_ends = '[]'",
    (
        "INSERT INTO supplier_papers SELECT supplier_id, gen_random_uuid(), 'horoscope', categories, issuer, number, "
        "valid_from, valid_until, file_name, media_type, size_bytes, file_hash, replaces, given_by, given_by_name, "
        "given_at FROM supplier_papers LIMIT 1"
    ),
    "UPDATE expiry_warnings SET step = 1",
]


async def test_the_database_refuses_what_must_not_be(settled: tuple[Applicant, Contractor]):
    applicant, _ = settled
    for change in IMPOSSIBLE:
        with pytest.raises(DBAPIError, match="violates check constraint"):
            await applicant.world.execute(change)


async def test_one_application_is_open_at_a_time_in_the_database_too(settled: tuple[Applicant, Contractor]):
    applicant, _ = settled
    columns = (
        "supplier_id, gen_random_uuid(), 'REGISTERED', trade, categories, regions, paper_ids, findings, NULL, NULL, "
        "NULL, '', NULL, '{}', NULL, 0, 1, now(), now(), NULL, NULL"
    )
    copy = f"INSERT INTO supplier_applications SELECT {columns} FROM supplier_applications LIMIT 1"
    await applicant.world.execute(copy)
    with pytest.raises(DBAPIError, match="one_open"):
        await applicant.world.execute(copy)
