"""A contractor maps its own material codes, orders by one, and cannot take back what the order goes by."""

from pathlib import Path
from typing import Any

import pytest

from shared.identity import Role
from tests.catalog.mapping_world import Mapping, csv_file
from tests.conftest import a_person
from tests.platform import TILE, Story, admitted, stocked

ROWS = ("W-1,地砖,瓷质砖 600×600,平方米", "W-2,螺纹钢,三级抗震 Φ20 12米,吨")


@pytest.fixture
def mapping(story: Story, tmp_path: Path) -> Mapping:
    """The first group's codes; the colleague who looks at them is another person."""
    importer = a_person(Role.BUYER, company_id=story.a, group_id=story.a)
    return Mapping(
        http=story.doors.http["catalog"],
        database=story.databases["catalog"],
        folder=tmp_path / "mappings",
        importer=importer,
    )


async def published(mapping: Mapping) -> dict[str, Any]:
    """Both rows, the tile's meaning said by a person."""
    job = await mapping.imported(csv_file(*ROWS))
    part = {"variant_key": TILE, "relation": "exact"}
    decided = await mapping.decide(job, {"row_no": 2, "decision": "confirm", "parts": [part], "note": "our tile"})
    assert decided.status_code == 200, decided.text
    await mapping.accept_sample(job)
    approved = await mapping.approve(job, leave_open=True)
    assert approved.status_code == 200, approved.text
    await mapping.work()
    return await mapping.job(job["id"])


async def test_a_mapping_that_an_order_goes_by_stays(story: Story, mapping: Mapping):
    await stocked(story)
    await admitted(story)
    job = await published(mapping)
    assert (await mapping.meaning("W-1"), len(await mapping.meaning("W-2"))) == ([TILE], 1)
    refused = await story.order(story.a, enterprise_code="W-2")
    assert [each["rule"] for each in refused.json()["errors"]] == ["CodeMeansAnother"], refused.text
    unknown = await story.order(story.a, enterprise_code="W-404")
    assert [each["rule"] for each in unknown.json()["errors"]] == ["CodeNotMapped"], unknown.text
    strangers = await story.order(story.b, enterprise_code="W-1")
    assert [each["rule"] for each in strangers.json()["errors"]] == ["CodeNotMapped"], strangers.text
    placed = await story.order(story.a, enterprise_code="W-1")
    assert placed.status_code == 201, placed.text
    assert [line["enterprise_code"] for line in placed.json()["orders"][0]["lines"]] == ["W-1"]
    taken_back = await mapping.post(f"/mapping-jobs/{job['id']}/rollback", {"note": "wrong file"})
    assert (taken_back.status_code, taken_back.json()["code"]) == (409, "MappingInUse"), taken_back.text


async def test_a_mapping_nobody_ordered_by_is_taken_back_and_orders_nothing_more(story: Story, mapping: Mapping):
    await stocked(story)
    await admitted(story)
    job = await published(mapping)
    taken_back = await mapping.post(f"/mapping-jobs/{job['id']}/rollback", {"note": "wrong file"})
    assert taken_back.json()["state"] == "ROLLED_BACK", taken_back.text
    refused = await story.order(story.a, enterprise_code="W-1")
    assert [each["rule"] for each in refused.json()["errors"]] == ["CodeNotMapped"], refused.text
