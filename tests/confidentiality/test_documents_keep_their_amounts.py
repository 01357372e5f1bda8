"""T14: what a code comes to mean later leaves documents as they were; for merged records see
tests/suppliers/test_merging.py.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import text

from shared.identity import Role
from tests.confidentiality.victim import Victim, a_victim
from tests.conftest import a_person
from tests.legacy_imports import csv_of
from tests.platform import TILE, Story

DOCUMENTS = (
    "purchase_orders",
    "purchase_order_lines",
    "order_history",
    "baskets",
    "staged_agreement_lines",
    "price_history",
)


async def documents(story: Story) -> dict[str, list[Any]]:
    """Every document of `orders`, whole."""
    async with story.databases["orders"].system() as session:
        return {
            table: sorted((await session.scalars(text(f'SELECT to_jsonb(t)::text FROM "{table}" AS t'))).all())
            for table in DOCUMENTS
        }


async def test_another_meaning_of_a_code_changes_no_document(story: Story, tmp_path: Path):
    victim = await a_victim(story, tmp_path)
    before = await documents(story)
    assert all(before.values()), "there is a document of each kind"
    await _means_another_tile(victim)
    await story.told()
    assert await documents(story) == before


async def _means_another_tile(victim: Victim) -> None:
    """A corrects what its code means; a second person approves."""
    story = victim.story
    other = TILE.replace("600x600", "800x800")
    codes = csv_of("物料编码,名称,规格型号,单位", "QZX-1,瓷砖,800x800,m2")
    job = await victim.upload("/catalog/mapping-jobs", codes)
    await victim.worked_off("catalog", "mapping_runner")
    colleague = a_person(Role.BUYER, company_id=story.a, group_id=story.a)
    means = {"row_no": 2, "decision": "confirm", "parts": [{"variant_key": other, "relation": "exact"}]}
    path = f"/catalog/mapping-jobs/{job['id']}"
    await story.done("POST", f"{path}/decisions", colleague, {"decisions": [means]})
    await story.done("POST", f"{path}/approval", colleague, {"leave_open": True})
    await victim.worked_off("catalog", "mapping_runner")
