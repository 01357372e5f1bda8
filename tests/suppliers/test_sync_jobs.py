"""Sequence numbers, snapshots, large bodies, and workers that are killed."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from services.suppliers.imports import queries
from services.suppliers.imports.jobs import SyncRunner, work_syncs
from services.suppliers.imports.rules import SequenceOutcome, SyncMode, sequence_outcome, snapshot_needed
from shared import clock
from shared.contracts.catalog import VariantReference, VariantResult
from shared.database import transaction
from shared.identity import Scope
from shared.ids import new_id
from tests.conftest import an_api_client, signed_in
from tests.suppliers.world import FULL_HEADER, CatalogDouble, World, csv_of, new_items

COUNT = "item_no,stock_point,on_hand"


def runner_of(world: World, *, catalog: CatalogDouble | None = None) -> SyncRunner:
    """A worker of its own over the same database and folder, taking two rows at a time."""
    return SyncRunner(
        database=world.database,
        catalog=catalog or world.catalog,
        folder=world.folder / "syncs",
        chunk_rows=2,
        lease_seconds=30,
    )


class Killed(Exception):  # noqa: N818
    """The process ends here."""


class CatalogThatKills(CatalogDouble):
    """Answers so many times, then ends the worker that asks."""

    def __init__(self, *, after: int) -> None:
        super().__init__()
        self.left = after

    async def resolve(
        self, *, references: Sequence[VariantReference], timeout_seconds: float = 30
    ) -> list[VariantResult]:
        if self.left == 0:
            raise Killed
        self.left -= 1
        return await super().resolve(references=references)


async def job(world: World, address: str):
    answer = await world.call("GET", address, world.erp)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("sequence", "last", "outcome"),
    [
        (None, 5, SequenceOutcome.UNNUMBERED),
        (7, None, SequenceOutcome.FIRST),
        (6, 5, SequenceOutcome.NEXT),
        (8, 5, SequenceOutcome.GAP),
        (5, 5, SequenceOutcome.REPEATED),
        (4, 5, SequenceOutcome.LATE),
    ],
)
def test_what_a_sequence_number_says(sequence, last, outcome):
    assert sequence_outcome(sequence=sequence, last=last) is outcome


def test_only_a_full_snapshot_heals_a_gap():
    assert snapshot_needed(outcome=SequenceOutcome.GAP, mode=SyncMode.DELTA, before=False)
    assert snapshot_needed(outcome=SequenceOutcome.NEXT, mode=SyncMode.DELTA, before=True)
    assert not snapshot_needed(outcome=SequenceOutcome.GAP, mode=SyncMode.FULL, before=True)


async def test_late_and_repeated_numbers_change_nothing_and_a_gap_is_told(world: World):
    await world.synced(new_items("A-1"), sequence=4)
    repeated = await world.synced(csv_of("A-1,main,1", header=COUNT), sequence=4)
    late = await world.synced(csv_of("A-1,main,1", header=COUNT), sequence=3)
    assert [(view["state"], view["outcome"]) for view in (repeated, late)] == [
        ("SKIPPED", "repeated"),
        ("SKIPPED", "late"),
    ]
    assert Decimal((await world.stock())["A-1", "main"]["on_hand"]) == 100
    gap = await world.synced(csv_of("A-1,main,8", header=COUNT), sequence=8)
    assert (gap["outcome"], gap["gap"], gap["snapshot_needed"]) == ("gap", {"expected": 5, "received": 8}, True)
    assert Decimal((await world.stock())["A-1", "main"]["on_hand"]) == 8
    assert (await world.synced(csv_of("A-1,main,9", header=COUNT), sequence=9))["snapshot_needed"] is True
    assert (await world.synced(csv_of("A-1,main,9", header=COUNT), sequence=10, mode="full"))[
        "snapshot_needed"
    ] is False
    assert (await world.synced(csv_of("A-1,main,9", header=COUNT), sequence=1, feed="other-erp"))["outcome"] == "first"


async def test_a_full_snapshot_zeroes_what_it_does_not_name_at_its_stock_points(world: World):
    await world.synced(new_items("A-1", "A-2", "A-3", "A-4"))
    await world.synced(new_items("A-2", stock_point="south"))
    await world.reserve("A-3", "30")
    view = await world.synced(csv_of("A-1,main,7", "A-4,main,-1", header=COUNT), mode="full")
    assert (view["counts"]["accepted"], view["counts"]["rejected"], view["counts"]["zeroed"]) == (1, 1, 2)
    stock = await world.stock()
    left = {key: (int(Decimal(row["on_hand"])), int(Decimal(row["shortfall"]))) for key, row in stock.items()}
    assert left == {
        ("A-1", "main"): (7, 0),
        ("A-2", "main"): (0, 0),
        ("A-2", "south"): (100, 0),
        ("A-3", "main"): (30, 30),
        ("A-4", "main"): (100, 0),
    }
    assert (await world.rows("SELECT count(*) AS n FROM sync_seen")) == [{"n": 0}]
    again = await world.synced(csv_of("A-1,main,7", "A-4,main,-1", header=COUNT), mode="full")
    assert (again["counts"]["unchanged"], again["counts"]["zeroed"]) == (1, 0)


async def test_a_delta_never_zeroes(world: World):
    await world.synced(new_items("A-1", "A-2"))
    await world.synced(csv_of("A-1,main,7", header=COUNT), mode="delta")
    assert Decimal((await world.stock())["A-2", "main"]["on_hand"]) == 100


async def test_a_snapshot_with_rows_that_name_no_item_zeroes_nothing(world: World):
    await world.synced(new_items("A-1", "A-2"))
    view = await world.synced(csv_of("A-1,main,7", ",main,8", header=COUNT), mode="full")
    assert view["counts"]["zeroed"] == 0
    assert "nothing missing was set to zero" in view["warnings"][0]


async def test_a_large_body_is_taken_in_and_worked_off_by_the_worker(create_world):
    world = create_world(sync_inline_bytes=10)
    await world.register()
    answer = await world.sync(new_items(*(f"A-{number}" for number in range(7))))
    assert answer.status_code == 202
    address = answer.headers["location"]
    assert (await job(world, address))["state"] == "RECEIVED"
    assert await runner_of(world).run_next()
    view = await job(world, address)
    assert (view["state"], view["counts"]["accepted"]) == ("COMPLETED", 7)
    assert view["progress"]["bytes_done"] == view["progress"]["bytes_total"]
    assert not await runner_of(world).run_next()
    assert list((world.folder / "syncs").iterdir()) == []


async def test_a_client_that_prefers_to_wait_gets_the_result(create_world):
    world = create_world(sync_inline_bytes=10)
    await world.register()
    stop = asyncio.Event()
    working = asyncio.create_task(work_syncs(runner_of(world), stop, idle_seconds=0.02))
    answer = await world.sync(new_items("A-1"), headers={"Prefer": "wait=60"})
    assert (answer.status_code, answer.json()["state"]) == (200, "COMPLETED")
    stop.set()
    await working


async def test_another_sync_meanwhile_is_told_where_the_first_is(create_world):
    world = create_world(sync_inline_bytes=10)
    await world.register()
    first = await world.sync(new_items("A-1"))
    second = await world.sync(new_items("A-2"))
    assert (second.status_code, second.json()["code"]) == (409, "SyncUnderWay")
    assert second.headers["location"] == first.headers["location"]
    await runner_of(world).run_next()
    assert (await world.sync(new_items("A-2"))).status_code == 202


async def test_two_syncs_at_once_are_one_and_a_conflict(create_world):
    world = create_world(sync_inline_bytes=10)
    await world.register()
    answers = await asyncio.gather(*(world.sync(new_items("A-1")) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    assert len(list((world.folder / "syncs").iterdir())) == 1


async def test_a_worker_killed_half_way_is_followed_by_another(create_world):
    world = create_world(sync_inline_bytes=10)
    await world.register()
    rows = [
        f"A-{number};RB-HRB|diameter={number // 2},grade=HRB400E,length=12;main;100;1;0.13;true;t"
        for number in range(6)
    ]
    address = (await world.sync(csv_of(*rows, header=FULL_HEADER), mode="full", sequence=1)).headers["location"]
    with pytest.raises(Killed):
        await runner_of(world, catalog=CatalogThatKills(after=2)).run_next()
    half = await job(world, address)
    assert (half["state"], half["progress"]["rows_done"], half["counts"]["accepted"]) == ("RUNNING", 4, 4)
    assert not await runner_of(world).run_next(), "the lease is still that of the first"
    await world.execute("UPDATE sync_jobs SET lease_until = now() - interval '1 second'")
    assert await runner_of(world).run_next()
    whole = await job(world, address)
    assert (whole["state"], whole["counts"]["accepted"], whole["counts"]["unchanged"]) == ("COMPLETED", 6, 0)
    assert len(await world.stock()) == 6


async def test_a_worker_that_lost_its_lease_writes_nothing(create_world):
    world = create_world(sync_inline_bytes=10)
    await world.register()
    address = (await world.sync(new_items("A-1"))).headers["location"]
    runner = runner_of(world)
    lease = runner.new_lease()
    async with world.database.system() as session, session.begin():
        claimed = await queries.claim_next(
            session, lease_id=lease.id, until=clock.now() - timedelta(seconds=1), now=clock.now()
        )
        assert claimed is not None
        stale = await queries.job(session, supplier_id=claimed[0], job_id=claimed[1])
    assert stale is not None
    assert await runner_of(world).run_next()
    await runner.run(stale, lease)
    assert (await job(world, address))["counts"]["accepted"] == 1


async def test_a_file_that_always_fails_is_given_up(create_world):
    world = create_world(sync_inline_bytes=10)
    await world.register()
    address = (await world.sync(new_items("A-1"))).headers["location"]
    await world.execute("UPDATE sync_jobs SET attempts = 5")
    assert await runner_of(world).run_next()
    view = await job(world, address)
    assert (view["state"], view["problem"]["code"]) == ("FAILED", "GaveUp")


async def test_a_file_that_is_gone_is_told(create_world):
    world = create_world(sync_inline_bytes=10)
    await world.register()
    address = (await world.sync(new_items("A-1"))).headers["location"]
    shutil.rmtree(world.folder / "syncs")
    (world.folder / "syncs").mkdir()
    assert await runner_of(world).run_next()
    assert (await job(world, address))["problem"]["code"] == "FileGone"


async def test_a_catalog_that_is_away_only_delays(world: World):
    world.catalog.away = True
    answer = await world.sync(new_items("A-1"))
    assert answer.status_code == 202
    world.catalog.away = False
    await world.execute("UPDATE sync_jobs SET lease_until = now() - interval '1 second'")
    assert await runner_of(world).run_next()
    assert (await job(world, answer.headers["location"]))["state"] == "COMPLETED"


async def test_a_post_with_the_same_key_is_the_same_sync(world: World):
    headers = {"Content-Type": "text/csv", "Idempotency-Key": "night-1", **signed_in(world.erp)}
    path = f"/suppliers/{world.supplier_id}/sync"
    first = await world.http.post(path, headers=headers, content=new_items("A-1"))
    again = await world.http.post(path, headers=headers, content=new_items("A-1"))
    other = await world.http.post(path, headers=headers, content=new_items("A-2"))
    assert (first.json()["id"], first.status_code) == (again.json()["id"], 200)
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "IdempotencyKeyReused")
    del headers["Idempotency-Key"]
    missing = await world.http.post(path, headers=headers, content=new_items("A-1"))
    assert (missing.status_code, missing.json()["code"]) == (400, "IdempotencyKeyMissing")


async def test_anothers_stock_is_not_there(world: World):
    answer = await world.sync(new_items("A-1"), supplier_id=new_id())
    assert (answer.status_code, answer.json()["code"]) == (404, "NotYours")
    stranger = an_api_client(Scope.STOCK_WRITE)
    address = f"/suppliers/{world.supplier_id}/syncs"
    assert (await world.call("GET", address, stranger)).status_code == 404
    reader = an_api_client(Scope.ORDERS_READ, company_id=world.supplier_id)
    assert (await world.sync(new_items("A-1"), caller=reader)).status_code == 403


async def test_a_company_that_is_no_supplier_has_nothing_to_sync(empty_world: World):
    answer = await empty_world.sync(new_items("A-1"))
    assert (answer.status_code, answer.json()["code"]) == (409, "SupplierNotRegistered")


async def test_an_unqualified_supplier_keeps_its_data_current_but_sells_nothing(empty_world: World):
    await empty_world.register()
    await empty_world.synced(new_items("A-1"))
    offer = (await empty_world.offers())["A-1", "default"]
    assert (await empty_world.call("GET", f"/suppliers/offers/{offer['id']}", empty_world.buyer)).status_code == 404
    await empty_world.qualify()
    await empty_world.open_market()
    assert (await empty_world.call("GET", f"/suppliers/offers/{offer['id']}", empty_world.buyer)).status_code == 200


async def test_a_client_for_stock_alone_cannot_change_prices(world: World):
    await world.synced(new_items("A-1"))
    counter = replace(world.erp, scopes=frozenset({Scope.STOCK_WRITE}))
    answer = await world.sync(csv_of("A-1,1", header="item_no,price"), caller=counter)
    assert (answer.status_code, answer.json()["code"]) == (422, "PricesNotAllowed")
    assert (await world.synced(csv_of("A-1,main,1", header=COUNT), caller=counter))["counts"]["accepted"] == 1


async def test_rejected_rows_are_read_page_by_page_and_as_csv(world: World):
    rows = [f"=cmd-{number},main,1" for number in range(5)]
    view = await world.synced(csv_of(*rows, header=COUNT))
    address = f"/suppliers/{world.supplier_id}/syncs/{view['id']}/problems"
    first = await world.call("GET", address, world.erp, params={"limit": 3, "severity": "rejected"})
    assert [row["row"] for row in first.json()] == [2, 3, 4]
    following = first.headers["link"].split(">")[0].lstrip("<")
    assert [row["row"] for row in (await world.call("GET", following, world.erp)).json()] == [5, 6]
    table = await world.call("GET", f"{address}.csv", world.erp)
    lines = table.text.splitlines()
    assert lines[0] == "\ufeffrow,severity,item_no,field,code,message"
    assert lines[1].startswith("2,rejected,'=cmd-0,item_no,UnknownItem,")
    assert len(lines) == 6
    listed = await world.call("GET", f"/suppliers/{world.supplier_id}/syncs", world.erp)
    assert [each["id"] for each in listed.json()] == [view["id"]]


async def test_a_count_meets_a_reservation_made_at_the_same_moment(world: World):
    await world.synced(new_items("A-1", "A-2"))
    async with transaction(world.database.system) as session:
        await session.execute(text("UPDATE stock_levels SET reserved = 60 WHERE item_no = 'A-1'"))
        syncing = asyncio.create_task(world.synced(csv_of("A-1,main,40,5", "A-2,main,50,6", header=f"{COUNT},price")))
        await asyncio.sleep(1)
        assert not syncing.done()
    view = await syncing
    assert (view["counts"]["accepted"], view["counts"]["warned"]) == (2, 1)
    stock = await world.stock()
    assert [Decimal(stock["A-1", "main"][name]) for name in ("on_hand", "reserved", "shortfall")] == [60, 60, 20]
    assert Decimal(stock["A-2", "main"]["on_hand"]) == 50
    assert Decimal((await world.offers())["A-1", "default"]["price"]) == 5
