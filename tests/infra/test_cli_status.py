"""`dougong status`: everything at a glance, and an exit code a watchdog can use."""

import json

import pytest

FEED = {"source": "orders", "position": "5-1", "caught_up_to": "2026-11-22T08:00:00Z", "lag_seconds": 0.2, "parked": 0}


@pytest.fixture
def healthy(services):
    services.on("GET", "/health/ready", (200, {"status": "ready"}))
    services.on("GET", r"/\w+/operations/(followers|parked-events)", (200, []))
    services.on("GET", "/suppliers/operations/followers", (200, [FEED]))
    services.on("GET", r"/suppliers/[^/]+/syncs", (200, []))
    return services


def test_all_well_is_exit_code_zero(dougong, healthy):
    result = dougong("status")
    assert result.exit_code == 0
    assert "orders" in result.stdout
    assert "0.2" in result.stdout


def test_machines_get_the_same_as_json(dougong, healthy):
    report = json.loads(dougong("status", "--json").stdout)
    assert [entry["state"] for entry in report["services"]] == ["ready"] * 4
    assert report["feeds"][0] == {"service": "suppliers", **FEED}
    assert report["parked_events"] == []


def test_a_feed_that_lags_is_exit_code_four(dougong, healthy):
    healthy.on("GET", "/suppliers/operations/followers", (200, [FEED | {"lag_seconds": 400.0}]))
    assert dougong("status").exit_code == 4


def test_a_parked_event_is_shown_with_its_error(dougong, healthy):
    event = {"event_id": "e-1", "type": "dev.dougong.orders.basket.placed.v1", "error": "KeyError: order_id"}
    healthy.on("GET", "/suppliers/operations/parked-events", (200, [event]))
    result = dougong("status")
    assert result.exit_code == 4
    assert "KeyError: order_id" in result.stdout


def test_a_service_that_is_not_ready_is_exit_code_three(dougong, healthy):
    healthy.on("GET", "/health/ready", (503, {"code": "DatabaseBusy", "detail": "The database does not answer."}))
    result = dougong("status")
    assert result.exit_code == 3
    assert "not ready" in result.stdout
