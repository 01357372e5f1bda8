"""`dougong metrics`: what three services say, in one table, and why the rest has no data."""

import json
from typing import Any

from tests.infra.conftest import BUYER


def figure(metric: str, value: str | None, **more: Any) -> dict[str, Any]:
    return {
        "metric": metric,
        "name": "a metric",
        "month": "2026-10",
        "category": None,
        "stage": None,
        "value": value,
        "unit": "share",
        "good": "up",
        "cases": None,
        "reason": None,
        **more,
    }


def test_figures_of_all_services_stand_in_one_table(dougong, services):
    services.on("GET", "/orders/metrics", (200, [figure("M1", "0.9630"), figure("M5", None, reason="no receipts yet")]))
    services.on("GET", "/suppliers/metrics", (200, [figure("M3", "0.2500", category="rebar", cases=4)]))
    services.on("GET", "/members/metrics", (200, [figure("M15", "0.5000", stage="S2")]))
    result = dougong("metrics", "--from", "2026-09", "--as", BUYER)
    assert result.exit_code == 0, result.stderr
    assert [line.split()[0] for line in result.stdout.splitlines() if line.strip().startswith("M")][-3:] == [
        "M1",
        "M3",
        "M15",
    ]
    assert "M5 a metric: no receipts yet" in result.stdout
    (asked,) = [request for request in services.heard if request.path == "/orders/metrics"]
    assert asked.query == {"from_month": "2026-09"}


def test_operators_ask_for_the_whole_platform(dougong, services):
    services.on("GET", "/orders/metrics/platform", (200, [figure("M8", "0.7500")]))
    services.on("GET", "/suppliers/metrics/platform", (200, []))
    services.on("GET", "/members/metrics", (200, []))
    result = dougong("metrics", "--platform", "--only", "M8", "--json")
    assert result.exit_code == 0, result.stderr
    assert [each["value"] for each in json.loads(result.stdout)] == ["0.7500"]
