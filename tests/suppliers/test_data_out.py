"""Data out of `suppliers`: a supplier takes what groups decided about it as far as it may see it, a group its own."""

import io
import json
import zipfile
from typing import Any
from uuid import UUID

import pytest

from services.suppliers.data_out import DATA_OUT
from shared.data_out.jobs import ExportRunner
from shared.identity import Role
from shared.ids import new_id
from tests.conftest import a_person
from tests.suppliers.blacklist_world import Lists, day
from tests.suppliers.onboarding_world import IDENTITY, Applicant, Contractor
from tests.suppliers.test_scores import Scores
from tests.suppliers.world import World, new_items

_VERBATIM = {"manifest.json", "audit.ndjson"}
_ABOUT_A_SUPPLIER = (
    "suppliers",
    "supplier_decisions",
    "supplier_identities",
    "supplier_applications",
    "supplier_papers",
    "supplier_paper_checks",
    "consents",
    "consent_history",
    "admissions",
    "blacklist_entries",
    "blacklist_appeals",
    "evaluations",
    "score_inputs",
    "score_appeals",
)
_A_GROUPS_OWN = (
    "supplier_invitations",
    "admissions",
    "admission_history",
    "blacklist_entries",
    "blacklist_history",
    "blacklist_appeals",
    "evaluations",
    "score_inputs",
    "score_appeals",
)


class Taken:
    """A company's export."""

    def __init__(self, content: bytes) -> None:
        archive = zipfile.ZipFile(io.BytesIO(content))
        self.files = {name: archive.read(name).decode() for name in archive.namelist()}

    def rows(self, table: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.files[f"{table}.ndjson"].splitlines()]

    @property
    def shaped(self) -> str:
        """All but the files that are verbatim."""
        return "\n".join(text for name, text in self.files.items() if name not in _VERBATIM)

    @property
    def whole(self) -> str:
        return "\n".join(self.files.values())


async def taken(world: World, company_id: UUID) -> Taken:
    world.app.state.settings = world.app.state.settings.model_copy(update={"data_dir": world.folder})
    runner = ExportRunner(DATA_OUT, database=world.database, data_dir=world.folder)
    admin = a_person(Role.ADMIN, company_id=company_id)
    asked = await world.call("POST", "/suppliers/exports", admin, json={})
    assert asked.status_code == 202, asked.text
    assert await runner.work_one()
    file = await world.call("GET", f"/suppliers/exports/{asked.json()['id']}/file", admin)
    assert file.status_code == 200, file.text
    return Taken(file.content)


class Town:
    """A supplier, the group that deals with it, and a group of which neither must take a row."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.contractor = Contractor(world)
        self.group_id = self.contractor.company_id
        self.contractor.group_id = self.group_id
        self.contractor.buyer = a_person(Role.BUYER, company_id=self.group_id, group_id=self.group_id)
        self.lists = Lists(world, group_id=self.group_id)
        self.entry: dict[str, Any] = {}
        self.applicant = Applicant(world)

    async def build(self) -> None:
        """Invited, listed by its number before it came, qualified, admitted, judged; it consents and appeals."""
        supplier, world = self.applicant, self.world
        await world.synced(new_items("R-1"))  # so that the service knows the variant of the orders that count
        invited = await self.contractor.invite(tax_id=supplier.tax_id)
        self.entry = await self.lists.put_on(
            supplier_id=None, tax_id=supplier.tax_id, name="尚未注册", project_ids=[str(new_id())]
        )
        applied = await supplier.apply("finishes_misc", invitation_code=invited["code"])
        assert applied.status_code == 201, applied.text
        await supplier.verified()
        paper = await supplier.given("ccc", category=["finishes_misc"])
        assert (await supplier.check(paper)).status_code == 200
        qualified = await world.qualify(supplier.company_id, version=await self.version(), categories=["finishes_misc"])
        assert qualified.status_code == 200, qualified.text
        evidence = [{"kind": "sample_test", "on": "2026-10-12", "reference": "own-evidence"}]
        admitted = await world.admit(
            self.group_id,
            "finishes_misc",
            supplier_id=supplier.company_id,
            level="own-level",
            grade="own-grade",
            evidence=evidence,
        )
        assert admitted.status_code == 201, admitted.text
        consent = {"what": ["profile"], "audience": "ORG", "to_id": str(self.group_id), "until": day(30)}
        recorded = await world.call("POST", "/suppliers/consents", supplier.admin, json=consent)
        assert recorded.status_code == 201, recorded.text
        appeal = {"text": "It was another company's rebar."}
        filed = await self.lists.post(f"/entries/{self.entry['id']}/appeals", supplier.admin, appeal)
        assert filed.status_code == 201, filed.text
        await self.judged(supplier.company_id, self.group_id, "own-words")

    async def version(self) -> int:
        answer = await self.applicant.call("GET", "")
        version: int = answer.json()["version"]
        return version

    async def judged(self, supplier_id: UUID, group_id: UUID, words: str, *, appeal: bool = True) -> None:
        """Orders that count, what somebody wrote, and an appeal."""
        scores = Scores(self.world, group_id=group_id)
        orders = [await scores.tell(supplier_id=supplier_id) for _ in range(5)]
        await scores.compute()
        body = {"dated_on": "2026-04-01", "dimension": "service", "score": "40.00", "reason": words}
        written = await scores.post(f"/of/{supplier_id}/evaluations", scores.buyer, **body)
        assert written.status_code == 201, written.text
        if appeal:
            seller = a_person(Role.SUPPLIER_SALES, company_id=supplier_id)
            filed = await scores.appeal(orders[0], seller)
            assert filed.status_code == 201, filed.text


@pytest.fixture
async def town(world: World) -> Town:
    made = Town(world)
    await made.build()
    return made


async def test_a_supplier_takes_what_it_gave_and_what_it_may_read_of_groups(town: Town):
    supplier = town.applicant.company_id
    out = await taken(town.world, supplier)

    assert not [table for table in _ABOUT_A_SUPPLIER if not out.rows(table)]
    assert len(out.rows("scores")) == 1
    [entry] = out.rows("blacklist_entries")
    assert entry["reason"].startswith("SECRET-REASON"), "listed by its number before it came, and it reads why"
    assert entry["owner_id"].startswith("party-")
    assert len(entry["project_ids"]) == 1
    assert not {"listed_by", "lift_asked_by", "lifted_by", "representative_hash"} & entry.keys()
    [admission] = out.rows("admissions")
    assert not {"level", "grade", "evidence"} & admission.keys()
    assert "source_key" not in out.rows("evaluations")[0]
    assert "own-level" not in out.whole
    assert "own-grade" not in out.whole
    assert "own-evidence" not in out.whole
    assert str(town.group_id) not in out.shaped, "also not in the documents inside of rows"
    assert out.rows("consents")[0]["to_id"] == out.rows("consent_history")[0]["entry"]["to"] == entry["owner_id"]
    assert not out.rows("supplier_invitations")
    assert not out.rows("admission_history")
    assert not out.rows("blacklist_history")


async def test_no_hash_of_a_number_leaves(town: Town):
    out = await taken(town.world, town.applicant.company_id)
    [identity] = out.rows("supplier_identities")
    assert (identity["account_tail"], identity["document_tail"]) == ("2233", "002X")
    for number in (IDENTITY["document_number"], IDENTITY["account_number"].replace(" ", "")):
        assert number not in out.whole
    assert not {name for table in ("supplier_identities", "suppliers") for name in out.rows(table)[0] if "hash" in name}


async def test_a_group_takes_its_own_decisions_whole(town: Town):
    out = await taken(town.world, town.group_id)
    supplier = str(town.applicant.company_id)

    assert not [table for table in _A_GROUPS_OWN if not out.rows(table)]
    [admission] = out.rows("admissions")
    assert (admission["level"], admission["grade"]) == ("own-level", "own-grade")
    assert admission["supplier_id"].startswith("party-")
    [entry] = out.rows("blacklist_entries")
    assert entry["listed_by"] == str(town.lists.lister.subject), "one's own people keep their ids"
    assert "code_hash" not in out.rows("supplier_invitations")[0]
    assert out.rows("evaluations")[0]["reason"] == "own-words"
    assert supplier not in out.shaped
    for table in ("suppliers", "supplier_papers", "supplier_identities", "supplier_applications", "consents"):
        assert not out.rows(table), table


@pytest.mark.parametrize("who", ["supplier", "group"])
async def test_nothing_of_another_pair_is_ever_in_it(town: Town, who: str):
    """Another group about another supplier, and another group about this one as far as it is no matter of the two."""
    rival, other = new_id(), town.world.supplier_id
    lists = Lists(town.world, group_id=rival)
    await lists.put_on(reason="canary reason", evidence="canary evidence")
    await lists.put_on(supplier_id=None, tax_id="91330100MA3XYH8K24", name="canary", reason="canary reason")
    await town.judged(other, rival, "canary words")
    admitted = await town.world.admit(rival, "finishes_misc", supplier_id=other, grade="canary-grade")
    assert admitted.status_code == 201, admitted.text
    about_us = await town.world.admit(
        rival, "finishes_misc", supplier_id=town.applicant.company_id, grade="canary-grade", level="canary-level"
    )
    assert about_us.status_code == 201, about_us.text

    out = await taken(town.world, town.applicant.company_id if who == "supplier" else town.group_id)

    assert "canary" not in out.whole
    assert str(rival) not in out.shaped
    assert str(other) not in out.whole
    assert len(out.rows("admissions")) == (2 if who == "supplier" else 1)


async def test_the_official_list_is_taken_by_whom_it_is_about(town: Town):
    await town.lists.put_on(town.world.operator, supplier_id=str(town.applicant.company_id), source="credit.example")
    about = await taken(town.world, town.applicant.company_id)
    assert {each["source"] for each in about.rows("blacklist_entries")} == {None, "credit.example"}
    group = await taken(town.world, town.group_id)
    assert [each["source"] for each in group.rows("blacklist_entries")] == [None]
