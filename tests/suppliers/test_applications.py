"""An application goes its way: identity, papers, review by another company, return, approval in part; all on record."""

import asyncio
from datetime import timedelta
from typing import Any

from services.suppliers.applications.secrets import kept_key
from shared.history import first_broken
from shared.identity import Role
from tests.conftest import a_person
from tests.suppliers.onboarding_world import BASIC, IDENTITY, TODAY, Applicant
from tests.suppliers.world import World

DAY = timedelta(days=1)


async def test_a_supplier_goes_from_application_to_qualification(empty_world: World):
    applicant = Applicant(empty_world)
    assert (await applicant.apply("rebar", "mep", regions=["31", "32"])).json()["state"] == "REGISTERED"
    assert (await applicant.submit()).json()["code"] == "IdentityNotVerified"
    await applicant.verified()
    assert (await applicant.call("GET", "/application")).json()["state"] == "IDENTITY_VERIFIED"
    missing = (await applicant.call("GET", "/onboarding")).json()["missing"]
    assert missing == {"mep": ["ccc"], "rebar": ["production_permit", "lab_report"]}
    refused = await applicant.submit()
    assert (refused.status_code, refused.json()["code"]) == (409, "PapersMissing")
    assert [error["field"] for error in refused.json()["errors"]] == [
        "papers.mep.ccc",
        "papers.rebar.production_permit",
        "papers.rebar.lab_report",
    ]
    permit = await applicant.given(
        "production_permit", category=["rebar"], valid_until=(TODAY + 90 * DAY).isoformat(), number="XK05-001-1"
    )
    await applicant.given("lab_report", category=["rebar"])
    await applicant.given("ccc", category=["mep"])
    assert (await applicant.submit()).json()["state"] == "DOCUMENTS_SUBMITTED"
    (waiting,) = (await empty_world.call("GET", "/suppliers/applications", empty_world.operator)).json()
    assert (waiting["supplier_name"], waiting["categories"]) == ("示范钢铁", ["mep", "rebar"])
    assert (await applicant.step("review")).json()["reviewer_name"] == "Test Person"
    returned = await applicant.step("return", reason="See the permit.", papers={permit["id"]: "Page two is missing."})
    assert returned.json()["findings"] == [{"paper_id": permit["id"], "reason": "Page two is missing."}]
    again = await applicant.submit()
    assert [error["field"] for error in again.json()["errors"]] == ["papers.rebar.production_permit"]
    ends = (TODAY + 90 * DAY).isoformat()
    await applicant.given("production_permit", category=["rebar"], valid_until=ends, replaces=permit["id"])
    assert (await applicant.submit()).json()["rounds"] == 2
    await applicant.step("review")
    grant: dict[str, Any] = {"level": "A", "reason": "Good.", "regions": ["31"]}
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"categories": ["precast"]}, "NotAskedFor"),
        ({"categories": ["rebar"], "regions": []}, "NotAskedFor"),
        ({"categories": ["rebar"], "regions": ["31", "11"]}, "NotAskedFor"),
        ({"categories": ["rebar"], "until": (TODAY + 91 * DAY).isoformat()}, "UntilBeyondPapers"),
    ]
    for wrong, code in wrongs:
        answer = await applicant.step("approval", **{**grant, **wrong})
        assert (answer.status_code, answer.json()["code"]) == (409, code)
    approved = await applicant.step("approval", **grant, categories=["rebar"])
    assert (approved.json()["state"], approved.json()["granted"], approved.json()["until"]) == (
        "QUALIFIED",
        ["rebar"],
        ends,
    )
    supplier = (await applicant.call("GET", "")).json()
    assert {name: supplier[name] for name in ("status", "level", "categories", "regions", "qualified_until")} == {
        "status": "QUALIFIED",
        "level": "A",
        "categories": ["rebar"],
        "regions": ["31"],
        "qualified_until": ends,
    }
    states = {paper["kind"]: paper["state"] for paper in (await applicant.call("GET", "/papers")).json()}
    assert states == {**dict.fromkeys((*BASIC, "lab_report", "production_permit"), "accepted"), "ccc": "given"}
    entries = (await applicant.call("GET", "/history", params={"limit": 200})).json()
    assert first_broken([(entry["entry"], bytes.fromhex(entry["hash"])) for entry in entries]) is None
    decisions = [entry["entry"]["decision"] for entry in entries]
    assert [each for each in decisions if not each.startswith("paper_")] == [
        "registered",
        "applied",
        "identity_given",
        "identity_verified",
        "submitted",
        "review_taken",
        "returned",
        "submitted",
        "review_taken",
        "qualified",
    ]
    told = await empty_world.rows(
        "SELECT data ->> 'state' AS state FROM events WHERE type LIKE '%application.changed.v1' ORDER BY txid, seq"
    )
    assert [each["state"] for each in told][-3:] == ["DOCUMENTS_SUBMITTED", "UNDER_REVIEW", "QUALIFIED"]


async def test_nobody_decides_about_their_own_company(empty_world: World):
    applicant = Applicant(empty_world)
    await applicant.apply()
    for kind in BASIC:
        await applicant.given(kind)
    await applicant.call("PUT", "/identity", json=IDENTITY)
    own = (
        a_person(Role.OPERATOR, company_id=applicant.company_id),
        a_person(Role.OPERATOR, group_id=applicant.company_id),
    )
    for judge in own:
        for decision in ("verification", "refusal"):
            refused = await empty_world.call(
                "POST", f"{applicant.path}/identity/{decision}", judge, version=1, json={"reason": "I say so."}
            )
            assert refused.json()["code"] == "ReviewedByOwnCompany"
    await applicant.review("POST", "/identity/verification", version=1, json={"reason": "Register agrees."})
    await applicant.submit()
    for judge in own:
        assert (await applicant.step("review", by=judge)).json()["code"] == "ReviewedByOwnCompany"
    await applicant.step("review")
    approval = {"categories": ["finishes_misc"], "level": "A", "reason": "I say so."}
    for judge in own:
        for step, body in (("approval", approval), ("rejection", {"reason": "x"}), ("return", {"reason": "x"})):
            assert (await applicant.step(step, by=judge, **body)).json()["code"] == "ReviewedByOwnCompany"
    for step, body in (("approval", approval), ("rejection", {"reason": "x"}), ("review", {})):
        assert (await applicant.step(step, by=applicant.admin, **body)).status_code == 403


async def test_a_step_names_the_version_it_saw(empty_world: World):
    applicant = Applicant(empty_world)
    await applicant.apply()
    await applicant.verified()
    version = await applicant.version()
    assert (await applicant.step("submission", by=applicant.admin, version=version + 1)).status_code == 412
    bare = await empty_world.call("POST", f"{applicant.path}/application/submission", applicant.admin)
    assert bare.status_code == 428
    await applicant.submit()
    version = await applicant.version()
    other = a_person(Role.OPERATOR)
    both = await asyncio.gather(
        *(applicant.step("review", by=by, version=version) for by in (empty_world.operator, other))
    )
    assert sorted(each.status_code for each in both) == [200, 412]
    assert (await applicant.step("review")).json()["code"] == "ApplicationStateForbids"
    assert (await applicant.step("submission", by=applicant.admin)).json()["code"] == "ApplicationStateForbids"
    rejected = await applicant.step("rejection", reason="The licence is another company's.")
    assert rejected.json()["state"] == "REJECTED"
    gone = await empty_world.call(
        "POST", f"{applicant.path}/application/review", empty_world.operator, version=rejected.json()["version"]
    )
    assert (gone.status_code, gone.json()["code"]) == (404, "ApplicationNotFound")
    assert (await applicant.apply()).json()["state"] == "IDENTITY_VERIFIED"


async def test_one_application_is_open_at_a_time(empty_world: World):
    applicant = Applicant(empty_world)
    answers = await asyncio.gather(applicant.apply("rebar"), applicant.apply("mep"))
    assert sorted(each.status_code for each in answers) == [201, 409]
    assert {each.json().get("code") for each in answers} == {None, "ApplicationOpen"}
    withdrawn = await applicant.step("withdrawal", by=applicant.admin)
    assert withdrawn.json()["state"] == "WITHDRAWN"
    assert (await applicant.apply("mep")).status_code == 201
    stranger = Applicant(empty_world)
    for answer in (
        await empty_world.call("POST", f"{applicant.path}/application", stranger.admin, json={}),
        await applicant.step("submission", by=stranger.admin),
        await empty_world.call("GET", f"{applicant.path}/onboarding", stranger.admin),
        await empty_world.call("GET", f"{applicant.path}/identity", stranger.admin),
    ):
        assert answer.status_code == 404
    contractor = Applicant(empty_world)
    empty_world.members.add(contractor.company_id, kinds=("contractor",))
    assert (await contractor.apply()).json()["code"] == "NotASupplierCompany"


async def test_identity_numbers_are_kept_as_hashes_and_last_digits(empty_world: World):
    applicant = Applicant(empty_world)
    await applicant.apply()
    bad = IDENTITY | {"document_number": "110105194912310021", "account_number": "12 34 5"}
    refused = await applicant.call("PUT", "/identity", json=bad)
    assert (refused.status_code, refused.json()["code"]) == (422, "IdentityMalformed")
    assert [error["field"] for error in refused.json()["errors"]] == ["document_number", "account_number"]
    assert "110105194912310021" not in refused.text
    given = await applicant.call("PUT", "/identity", json=IDENTITY)
    assert (given.json()["document_masked"], given.json()["account_masked"]) == ("****002X", "****2233")
    same = await applicant.call("PUT", "/identity", json=IDENTITY | {"document_number": "11010519491231002x"})
    assert same.json()["version"] == 1
    row = (await empty_world.rows("SELECT * FROM supplier_identities"))[0]
    entries = (await applicant.call("GET", "/history")).text
    for secret in ("11010519491231002X", "6222020200112233"):
        assert secret not in f"{row}{entries}{await empty_world.rows('SELECT data FROM events')}"
    assert row["document_hash"] != row["account_hash"]
    assert kept_key(empty_world.folder) == kept_key(empty_world.folder)
    assert ((empty_world.folder / "identity.key").stat().st_mode & 0o777) == 0o600
    lacking = await applicant.review("POST", "/identity/verification", version=1, json={"reason": "x"})
    assert (lacking.status_code, lacking.json()["code"]) == (409, "IdentityPapersMissing")
    sales = a_person(Role.SUPPLIER_SALES, company_id=applicant.company_id)
    assert (await empty_world.call("PUT", f"{applicant.path}/identity", sales, json=IDENTITY)).status_code == 403


async def test_another_bank_account_is_verified_anew(empty_world: World):
    applicant = Applicant(empty_world)
    await applicant.apply()
    await applicant.verified()
    due = (await applicant.call("GET", "/identity")).json()["due_on"]
    assert timedelta(days=180) < (type(TODAY).fromisoformat(due) - TODAY) < timedelta(days=185)
    changed = await applicant.call("PUT", "/identity", json=IDENTITY | {"account_number": "6222020200119999"})
    assert (changed.json()["state"], changed.json()["due_on"]) == ("GIVEN", None)
    assert (await applicant.submit()).json()["code"] == "IdentityNotVerified"
    (waiting,) = (await empty_world.call("GET", "/suppliers/identities", empty_world.operator)).json()
    assert (waiting["supplier_id"], waiting["version"]) == (str(applicant.company_id), 3)
    stale = await applicant.review("POST", "/identity/verification", version=1, json={"reason": "x"})
    assert stale.status_code == 412


async def test_a_qualified_supplier_sells_on_while_it_asks_for_more(empty_world: World):
    applicant = Applicant(empty_world)
    await applicant.apply()
    await applicant.verified()
    await applicant.qualified()
    more = await applicant.apply("waterproof_insulation", trade="trader")
    assert more.json()["categories"] == ["finishes_misc", "waterproof_insulation"]
    assert (await applicant.call("GET", "")).json()["status"] == "QUALIFIED"
    assert [error["field"] for error in (await applicant.submit()).json()["errors"]] == [
        "papers.finishes_misc.authorisation",
        "papers.waterproof_insulation.lab_report",
        "papers.waterproof_insulation.authorisation",
    ]
    await applicant.given("lab_report", category=["waterproof_insulation"])
    await applicant.given("authorisation")
    await applicant.qualified("finishes_misc", "waterproof_insulation", level="A")
    assert (await applicant.call("GET", "")).json()["categories"] == ["finishes_misc", "waterproof_insulation"]
