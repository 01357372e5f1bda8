"""T11: each side's export of all four services is complete, and carries nobody else."""

import io
import zipfile
from pathlib import Path

from shared.data_out.jobs import ExportRunner
from shared.identity import Principal, Role
from tests.confidentiality.victim import (
    AGREED,
    DATA_OUT,
    NUMBERS,
    PAID,
    PRICE,
    QUANTITY,
    WORD,
    WORDS,
    Victim,
    a_victim,
)
from tests.conftest import a_person
from tests.platform import Story


async def exported(story: Story, folder: Path, who: Principal) -> dict[str, str]:
    """What a company takes along of each service."""
    found = {}
    for service, data_out in DATA_OUT.items():
        job = await story.done("POST", f"/{service}/exports", who, {})
        assert await ExportRunner(data_out, database=story.databases[service], data_dir=folder).work_one()
        file = await story.asked(service, f"/{service}/exports/{job['id']}/file", who)
        with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
            found[service] = "\n".join(archive.read(name).decode() for name in archive.namelist())
    return found


async def test_each_takes_all_of_its_own_and_nothing_of_others(story: Story, tmp_path: Path):
    victim: Victim = await a_victim(story, tmp_path)
    own = await exported(story, tmp_path, victim.everyone)
    assert {PRICE, QUANTITY, AGREED, PAID} <= set(NUMBERS.findall(own["orders"]))
    wrote = {f"{WORD}-{what}" for what in ("project", "note", "gate", "person", "late", "cracked", "invited", "rule")}
    assert wrote <= set(WORDS.findall("\n".join(own.values())))

    rival = await exported(story, tmp_path, story.admin(story.b))
    for service, content in rival.items():
        assert not NUMBERS.search(content), service
        assert not WORDS.search(content), service
        assert str(story.supplier) not in content, service

    seller = await exported(story, tmp_path, a_person(Role.ADMIN, company_id=story.supplier))
    assert {PRICE, AGREED} <= set(NUMBERS.findall(seller["orders"])), "it sold at that price, and agreed on the other"
    assert PAID not in "\n".join(seller.values())
    for service, content in seller.items():
        assert str(story.a) not in content, "its buyer is a pseudonym"
        kept = {f"{WORD}-{what}" for what in ("note", "cost", "person", "cracked", "invited", "rule")}
        assert not kept & set(WORDS.findall(content)), service
