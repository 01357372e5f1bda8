"""Delivering: retries on a clock the test turns, killed and doubled workers, giving up, replaying, forgetting."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks import Webhook

from services.members.webhooks import outbox, rules
from services.members.webhooks.jobs import forget_old
from services.members.webhooks.rules import RETRIES_AFTER, retry_at
from shared.database import transaction
from tests.conftest import once
from tests.members.conftest import admin_of
from tests.members.webhooks.conftest import Heard, Office, Receiver, answer


async def an_order(office: Office, receiver: Receiver, count: int = 1) -> tuple[UUID, dict[str, Any]]:
    """A buyer with an endpoint, of whose orders something is to be told."""
    buyer, supplier = await office.world.company("contractor"), await office.world.company("supplier")
    endpoint = await office.endpoint(buyer, receiver.url)
    await office.follow(*(office.order_changed(buyer, supplier) for _ in range(count)))
    return buyer, endpoint


async def test_from_an_event_to_a_verified_message_and_its_log(office: Office, receiver: Receiver):
    buyer, endpoint = await an_order(office, receiver)
    receiver.reply = answer(200, b"thanks")
    assert await office.later(seconds=1) == 1
    [heard] = receiver.heard
    delivery = await office.delivery(buyer, endpoint)
    sent_at = int(heard.headers["webhook-timestamp"])
    assert abs(sent_at - office.now.timestamp()) <= 1
    message = Webhook(endpoint["secret"]).verify(heard.body, heard.headers)
    assert (message["type"], message["data"]["subject_id"]) == ("order.changed", delivery["subject_id"])
    assert heard.headers["webhook-id"] == delivery["id"]
    assert delivery["status"] == "DELIVERED"
    [attempt] = delivery["log"]
    assert (attempt["number"], attempt["http_status"], attempt["answer"], attempt["fault"]) == (1, 200, "thanks", None)
    assert attempt["duration_ms"] >= 0
    assert await office.later(days=1) == 0


def test_the_waits_are_those_of_the_specification_with_up_to_a_fifth_more():
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for tries, wait in enumerate(RETRIES_AFTER, start=1):
        assert retry_at(tries=tries, at=at, jitter_per_mille=0) == at + wait
        longest = retry_at(tries=tries, at=at, jitter_per_mille=999)
        assert longest is not None
        assert wait * 1.19 < longest - at < wait * 1.2
    assert retry_at(tries=len(RETRIES_AFTER) + 1, at=at, jitter_per_mille=0) is None


async def test_a_failing_delivery_is_retried_with_one_id_and_then_given_up(office: Office, receiver: Receiver):
    buyer, endpoint = await an_order(office, receiver)
    receiver.reply = answer(503, b"later")
    assert await office.later(seconds=1) == 1
    for wait in RETRIES_AFTER:
        assert await office.later(seconds=wait.total_seconds() - 1) == 0, "not before its time"
        assert await office.later(seconds=2 + wait.total_seconds() / 5) == 1
    assert await office.later(days=30) == 0
    delivery = await office.delivery(buyer, endpoint)
    assert (delivery["status"], delivery["attempts"], delivery["next_attempt_at"]) == ("FAILED", 10, None)
    assert [each["http_status"] for each in delivery["log"]] == [503] * 10
    assert {heard.headers["webhook-id"] for heard in receiver.heard} == {delivery["id"]}
    assert len({heard.headers["webhook-timestamp"] for heard in receiver.heard}) == 10


async def test_a_receiver_that_recovers_gets_it(office: Office, receiver: Receiver):
    buyer, endpoint = await an_order(office, receiver)
    receiver.replies = [answer(500), b""]
    await office.later(seconds=1)
    assert (await office.get(buyer, f"/{endpoint['id']}")).json()["failing_since"] is not None
    await office.later(seconds=10)
    assert await office.later(minutes=10) == 1
    delivery = await office.delivery(buyer, endpoint)
    assert (delivery["status"], [each["http_status"] for each in delivery["log"]]) == ("DELIVERED", [500, None, 204])
    assert (await office.get(buyer, f"/{endpoint['id']}")).json()["failing_since"] is None


async def test_a_worker_killed_between_sending_and_recording_neither_loses_nor_hides(
    office: Office, receiver: Receiver
):
    buyer, endpoint = await an_order(office, receiver)
    office.now += timedelta(seconds=1)
    [claimed] = await office.deliverer.claim(limit=10)
    await office.sender.send(claimed, at=office.now)
    # The worker is killed here. Nobody else may have it before the lease ends.
    assert await office.later(seconds=59) == 0
    assert await office.later(seconds=2) == 1
    delivery = await office.delivery(buyer, endpoint)
    assert (delivery["status"], delivery["attempts"]) == ("DELIVERED", 2)
    assert [each["http_status"] for each in delivery["log"]] == [None, 204], "the cut-off attempt shows"
    assert {heard.headers["webhook-id"] for heard in receiver.heard} == {delivery["id"]}


async def test_a_worker_that_comes_late_changes_nothing_but_its_own_line(office: Office, receiver: Receiver):
    buyer, endpoint = await an_order(office, receiver)
    office.now += timedelta(seconds=1)
    [late] = await office.deliverer.claim(limit=10)
    assert await office.later(seconds=61) == 1
    async with transaction(office.database.system) as session:
        status = await outbox.record(
            session,
            claimed=late,
            outcome=outbox.Outcome(ms=1, http_status=500),
            jitter_per_mille=0,
            failing_limit=timedelta(days=5),
            at=office.now,
        )
    assert status is None
    delivery = await office.delivery(buyer, endpoint)
    assert (delivery["status"], [each["http_status"] for each in delivery["log"]]) == ("DELIVERED", [500, 204])


async def test_two_workers_at_once_send_each_message_once(office: Office, receiver: Receiver):
    buyer, endpoint = await an_order(office, receiver, count=12)
    office.now += timedelta(seconds=1)
    sent = 0
    while some := sum(await asyncio.gather(office.deliverer.round(), office.deliverer.round())):
        sent += some
    assert sent == 12
    ids = [heard.headers["webhook-id"] for heard in receiver.heard]
    assert len(ids) == len(set(ids)) == 12
    assert {each["status"] for each in await office.deliveries(buyer, endpoint)} == {"DELIVERED"}


async def test_a_slow_endpoint_holds_no_other(office: Office, receiver: Receiver):
    slow = await office.world.company("contractor")
    quick = await office.world.company("contractor")
    supplier = await office.world.company("supplier")
    released = asyncio.Event()

    async def hang(_: Heard, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.write(answer(204))

    at_slow = await office.endpoint(slow, receiver.url + "/slow")
    at_quick = await office.endpoint(quick, receiver.url + "/quick")
    await office.follow(*(office.order_changed(slow, supplier) for _ in range(40)))
    await office.follow(*(office.order_changed(quick, supplier) for _ in range(3)))

    async def reply(heard: Heard, writer: asyncio.StreamWriter) -> None:
        if heard.path.endswith("/slow"):
            await hang(heard, writer)
        else:
            writer.write(answer(204))

    receiver.reply = reply
    office.now += timedelta(seconds=1)
    stop = asyncio.Event()
    running = asyncio.create_task(office.deliverer.run(stop))
    try:
        async with asyncio.timeout(10):
            while {each["status"] for each in await office.deliveries(quick, at_quick)} != {"DELIVERED"}:  # noqa: ASYNC110 - a company asks over HTTP
                await asyncio.sleep(0.05)
        under_way = [each for each in await office.deliveries(slow, at_slow) if each["attempts"]]
        assert len(under_way) == office.deliverer.per_endpoint
    finally:
        stop.set()
        released.set()
        await running


async def test_gone_disables_at_once_and_holds_what_waits(office: Office, receiver: Receiver):
    buyer, endpoint = await an_order(office, receiver, count=6)
    other = await office.endpoint(buyer, receiver.url, "webhook_endpoint.disabled")
    receiver.reply = answer(410)
    await office.later(seconds=1)
    shown = (await office.get(buyer, f"/{endpoint['id']}")).json()
    assert (shown["status"], shown["disabled_why"]) == ("DISABLED", "gone")
    assert {each["status"] for each in await office.deliveries(buyer, endpoint)} == {"HELD"}
    assert await office.later(days=1) == 0
    [event] = await office.sql("SELECT * FROM events WHERE type LIKE '%webhook_endpoint.disabled%'")
    receiver.reply = answer(204)
    await office.follow(office.event("members", "webhook_endpoint.disabled", event.data, subject=event.subject))
    assert await office.later(seconds=1) == 1
    assert (await office.delivery(buyer, other))["subject_id"] == endpoint["id"]


async def test_days_of_failing_disable_with_a_notice(office: Office, receiver: Receiver):
    buyer, supplier = await office.world.company("contractor"), await office.world.company("supplier")
    endpoint = await office.endpoint(buyer, receiver.url)
    receiver.reply = answer(500)
    for _ in range(5):
        await office.follow(office.order_changed(buyer, supplier))
        await office.later(hours=23)
        assert (await office.get(buyer, f"/{endpoint['id']}")).json()["status"] == "ENABLED"
    await office.later(days=1, hours=6)
    shown = (await office.get(buyer, f"/{endpoint['id']}")).json()
    assert (shown["status"], shown["disabled_why"]) == ("DISABLED", "failing")
    assert len(await office.sql("SELECT 1 FROM events WHERE type LIKE '%webhook_endpoint.disabled%'")) == 1


async def test_what_happens_while_disabled_is_held_and_replayed_from_a_moment(office: Office, receiver: Receiver):
    buyer, endpoint = await an_order(office, receiver)
    supplier = await office.world.company("supplier")
    await office.post(buyer, f"/{endpoint['id']}/disablement")
    since = office.now + timedelta(seconds=1)
    office.now += timedelta(minutes=5)
    await office.follow(office.order_changed(buyer, supplier), office.order_changed(buyer, supplier))
    assert await office.later(seconds=1) == 0
    refused = await office.post(buyer, f"/{endpoint['id']}/replay", {"since": since.isoformat()})
    assert (refused.status_code, refused.json()["code"]) == (409, "EndpointIsDisabled")
    assert (await office.post(buyer, f"/{endpoint['id']}/ping")).status_code == 409
    await office.post(buyer, f"/{endpoint['id']}/enablement")
    assert await office.later(seconds=1) == 0, "nothing held is sent by itself"
    begun = await office.post(buyer, f"/{endpoint['id']}/replay", {"since": since.isoformat()})
    assert begun.json() == {"begun": 2}
    assert await office.later(seconds=1) == 2
    assert sorted(each["status"] for each in await office.deliveries(buyer, endpoint)) == [
        "DELIVERED",
        "DELIVERED",
        "HELD",
    ]


async def test_a_replay_sends_the_same_id_and_repeating_the_request_sends_it_no_oftener(
    office: Office, receiver: Receiver
):
    buyer, endpoint = await an_order(office, receiver)
    await office.later(seconds=1)
    delivery = await office.delivery(buyer, endpoint)
    path = office.path(buyer, f"/{endpoint['id']}/deliveries/{delivery['id']}/replay")
    headers = {**admin_of(buyer), **once()}
    for _ in range(2):
        assert (await office.world.http.post(path, headers=headers)).status_code == 202
    assert await office.later(seconds=1) == 1
    # The same request again, after it was sent, begins nothing either.
    assert (await office.world.http.post(path, headers=headers)).headers["idempotency-replayed"] == "true"
    assert await office.later(seconds=1) == 0
    assert [heard.headers["webhook-id"] for heard in receiver.heard] == [delivery["id"]] * 2
    assert len((await office.delivery(buyer, endpoint))["log"]) == 2


async def test_a_replay_leaves_what_is_under_way_alone(office: Office, receiver: Receiver):
    buyer, endpoint = await an_order(office, receiver)
    receiver.replies = [answer(500), answer(500)]
    await office.later(seconds=1)
    await office.later(seconds=10)
    before = await office.delivery(buyer, endpoint)
    replayed = await office.post(buyer, f"/{endpoint['id']}/deliveries/{before['id']}/replay")
    assert replayed.json()["next_attempt_at"] == before["next_attempt_at"]


async def test_everything_since_a_moment_can_be_sent_again(office: Office, receiver: Receiver):
    buyer, endpoint = await an_order(office, receiver, count=3)
    await office.later(seconds=1)
    since = (office.now - timedelta(days=1)).isoformat()
    body = {"since": since, "delivered_too": True}
    assert (await office.post(buyer, f"/{endpoint['id']}/replay", {"since": since})).json() == {"begun": 0}
    assert (await office.post(buyer, f"/{endpoint['id']}/replay", body)).json() == {"begun": 3}
    assert await office.later(seconds=1) == 3


async def test_both_secrets_sign_until_the_overlap_ends(office: Office, receiver: Receiver):
    buyer = await office.world.company("contractor")
    endpoint = await office.endpoint(buyer, receiver.url)
    rotated = await office.post(buyer, f"/{endpoint['id']}/rotation", {"overlap_seconds": 3600})
    fresh = rotated.json()["secret"]
    assert fresh != endpoint["secret"]
    await office.post(buyer, f"/{endpoint['id']}/ping")
    await office.later(seconds=1)
    await office.post(buyer, f"/{endpoint['id']}/ping")
    await office.later(hours=2)
    during, after = receiver.heard
    assert len(during.headers["webhook-signature"].split()) == 2
    assert len(after.headers["webhook-signature"].split()) == 1
    for secret in (fresh, endpoint["secret"]):
        Webhook(secret).verify(during.body, during.headers)


async def test_an_address_is_judged_again_at_each_delivery(office: Office, receiver: Receiver):
    buyer = await office.world.company("contractor")
    endpoint = await office.endpoint(buyer, receiver.url)
    await office.sql("UPDATE webhook_endpoints SET url = 'http://10.0.0.1/'")
    await office.post(buyer, f"/{endpoint['id']}/ping")
    await office.later(seconds=1)
    [attempt] = (await office.delivery(buyer, endpoint))["log"]
    assert (attempt["http_status"], attempt["fault"]) == (None, "Https: Only https addresses are called.")
    assert receiver.heard == []


async def test_old_deliveries_are_forgotten_with_their_log(office: Office, receiver: Receiver):
    buyer, endpoint = await an_order(office, receiver, count=3)
    await office.later(seconds=1)
    assert await forget_old(office.database.system, kept=timedelta(days=30), at=office.now + timedelta(days=29)) == 0
    assert await forget_old(office.database.system, kept=timedelta(days=30), at=office.now + timedelta(days=31)) == 3
    assert await office.deliveries(buyer, endpoint) == []
    assert await office.sql("SELECT 1 FROM webhook_attempts") == []


async def test_deliveries_are_listed_by_state_and_page(office: Office, receiver: Receiver):
    buyer, endpoint = await an_order(office, receiver, count=3)
    first = await office.get(buyer, f"/{endpoint['id']}/deliveries", limit=2)
    assert len(first.json()) == 2
    rest = await office.world.http.get(first.links["next"]["url"], headers=admin_of(buyer))
    assert len(rest.json()) == 1
    assert await office.deliveries(buyer, endpoint, status="DELIVERED") == []
    assert len(await office.deliveries(buyer, endpoint, status="PENDING")) == 3


@pytest.mark.parametrize("status", [200, 204, 299])
def test_only_2xx_is_success(status: int):
    assert rules.is_success(status)
    assert not rules.is_success(status + 100)
    assert not rules.is_success(None)


async def test_a_delivery_of_an_endpoint_removed_meanwhile_is_dropped(office: Office, receiver: Receiver):
    buyer, endpoint = await an_order(office, receiver)
    office.now += timedelta(seconds=1)
    [claimed] = await office.deliverer.claim(limit=10)
    await office.world.http.delete(office.path(buyer, f"/{endpoint['id']}"), headers=admin_of(buyer))
    await office.deliverer.attempt(claimed)
    assert await office.sql("SELECT 1 FROM webhook_deliveries") == []
