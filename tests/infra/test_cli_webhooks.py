"""`dougong webhooks …` over HTTP."""

import json

from tests.infra.conftest import BUYER, FakeServices

PATH = "/members/companies/c/webhooks"
ENDPOINT = {
    "id": "e1",
    "url": "https://erp.example.com/hook",
    "description": "",
    "event_types": ["order.placed"],
    "status": "DISABLED",
    "disabled_why": "failing",
    "failing_since": "2026-11-20T00:00:00+00:00",
    "last_delivered_at": None,
    "previous_secret_until": "2026-11-26T00:00:00+00:00",
}
DELIVERY = {
    "id": "d1",
    "type": "order.placed",
    "occurred_at": "2026-11-25T00:00:00+00:00",
    "status": "FAILED",
    "attempts": 10,
    "log": [{"number": 10, "http_status": 503, "fault": None, "duration_ms": 12}],
}


def signed_in(services: FakeServices) -> None:
    services.on("GET", "/members/me", (200, {"company": {"id": "c", "name": "x"}}))


def test_an_endpoint_is_added_and_its_secret_shown(dougong, services: FakeServices):
    signed_in(services)
    services.on("POST", PATH, (201, {**ENDPOINT, "secret": "whsec_x"}))
    arguments = ("https://erp.example.com/hook", "-e", "order.placed", "-e", "order.changed", "--as", BUYER)
    result = dougong("webhooks", "add", *arguments)
    assert result.exit_code == 0, result.output
    assert "whsec_x" in result.stdout
    (sent,) = services.asked("POST", PATH)
    assert sent.json["event_types"] == ["order.placed", "order.changed"]
    assert sent.headers["idempotency-key"]


def test_a_refused_address_is_said_with_its_rule(dougong, services: FakeServices):
    signed_in(services)
    error = {"field": "url", "rule": "PublicAddress", "message": "not public"}
    services.on("POST", PATH, (422, {"code": "WebhookUrlRefused", "detail": "url: not public", "errors": [error]}))
    result = dougong("webhooks", "add", "https://127.0.0.1", "-e", "order.placed", "--as", BUYER)
    assert result.exit_code == 1
    assert "WebhookUrlRefused" in result.stderr


def test_lists_and_logs_show_what_went_wrong(dougong, services: FakeServices):
    signed_in(services)
    services.on("GET", PATH, (200, [ENDPOINT]))
    services.on("GET", f"{PATH}/e1/deliveries", (200, [DELIVERY]))
    assert "DISABLED (failing)" in dougong("webhooks", "list", "--as", BUYER).stdout
    result = dougong("webhooks", "log", "e1", "--status", "FAILED", "--since", "2026-11-25", "--as", BUYER)
    assert "HTTP 503 in 12 ms" in result.stdout, result.output
    (asked,) = services.asked("GET", f"{PATH}/e1/deliveries")
    assert (asked.query["status"], asked.query["since"]) == ("FAILED", "2026-11-25T00:00:00+08:00")
    assert json.loads(dougong("webhooks", "list", "--as", BUYER, "--json").stdout) == [ENDPOINT]


def test_one_message_or_all_since_a_moment_are_replayed(dougong, services: FakeServices):
    signed_in(services)
    services.on("POST", f"{PATH}/e1/deliveries/d1/replay", (202, DELIVERY))
    services.on("POST", f"{PATH}/e1/replay", (202, {"begun": 7}))
    assert dougong("webhooks", "replay", "e1", "d1", "--as", BUYER).exit_code == 0
    result = dougong("webhooks", "replay", "e1", "--since", "2026-11-25T08:00", "--delivered-too", "--as", BUYER)
    assert "7 messages" in result.stdout
    (sent,) = services.asked("POST", f"{PATH}/e1/replay")
    assert sent.json == {"since": "2026-11-25T08:00:00+08:00", "delivered_too": True}
    assert dougong("webhooks", "replay", "e1", "--as", BUYER).exit_code == 2
    assert dougong("webhooks", "replay", "e1", "--since", "soon", "--as", BUYER).exit_code == 2


def test_the_other_verbs_call_their_routes(dougong, services: FakeServices):
    signed_in(services)
    services.on("POST", f"{PATH}/e1/rotation", (201, {**ENDPOINT, "secret": "whsec_new"}))
    services.on("POST", f"{PATH}/e1/ping", (202, DELIVERY))
    services.on("POST", f"{PATH}/e1/(dis|en)ablement", (200, ENDPOINT))
    services.on("DELETE", f"{PATH}/e1", (204, None))
    assert "whsec_new" in dougong("webhooks", "rotate", "e1", "--overlap", "60", "--as", BUYER).stdout
    assert services.asked("POST", f"{PATH}/e1/rotation")[0].json == {"overlap_seconds": 60}
    for verb, method, path in (
        ("ping", "POST", "ping"),
        ("disable", "POST", "disablement"),
        ("enable", "POST", "enablement"),
    ):
        assert dougong("webhooks", verb, "e1", "--as", BUYER).exit_code == 0, verb
        assert services.asked(method, f"{PATH}/e1/{path}")
    assert dougong("webhooks", "remove", "e1", "--as", BUYER).exit_code == 0
