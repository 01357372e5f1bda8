"""Projects and delivery points: each contractor's own, edited by two people without losing anything."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from services.orders.projects.rules import PROJECT_MOVES, ProjectStatus, may_move
from shared.contracts.projects import ProjectWithPoints
from shared.identity import Role
from tests.conftest import a_person, once, signed_in
from tests.orders.conftest import World


def path(world: World) -> str:
    return f"/orders/projects/{world.project_id}"


async def put(world: World, where: str, body: dict[str, Any], *, version: int | None) -> Any:
    headers = signed_in(world.buyer) | ({} if version is None else {"If-Match": f'"{version}"'})
    return await world.http.put(where, json=body, headers=headers)


async def test_a_project_is_read_back_with_its_delivery_points(world: World) -> None:
    answer = await world.read(world.buyer, path(world))

    project = ProjectWithPoints.model_validate(answer.json())
    assert (project.number, project.status, project.version) == ("BJ-2026-07", "ACTIVE", 1)
    assert [point.region for point in project.delivery_points] == ["110105"]
    assert answer.headers["ETag"] == '"1"'


async def test_two_projects_of_a_company_never_share_a_number(world: World) -> None:
    body = {"number": "N-1", "name": "x"}
    answers = await asyncio.gather(
        *(world.http.post("/orders/projects", json=body, headers=signed_in(world.buyer) | once()) for _ in range(5))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"ProjectNumberTaken"}
    taken = await put(world, path(world), body, version=1)
    assert (taken.status_code, taken.json()["code"]) == (409, "ProjectNumberTaken")
    assert (await world.open_project(number="N-2"))["number"] == "N-2"


async def test_another_company_may_use_the_number(world: World) -> None:
    world.buyer = a_person(Role.ADMIN)
    assert (await world.open_project())["number"] == "BJ-2026-07"


async def test_editing_needs_the_version_that_was_seen(world: World) -> None:
    body = {"number": "BJ-1", "name": "y"}

    assert (await put(world, path(world), body, version=None)).json()["code"] == "VersionNeeded"
    assert (await put(world, path(world), body, version=7)).json()["code"] == "VersionChanged"
    changed = await put(world, path(world), body, version=1)
    assert (changed.json()["version"], changed.headers["ETag"]) == (2, '"2"')


async def test_of_two_edits_at_once_one_wins(world: World) -> None:
    answers = await asyncio.gather(
        *(put(world, path(world), {"number": "BJ-1", "name": str(n)}, version=1) for n in range(4))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]


async def test_a_closed_project_stays_closed(world: World) -> None:
    body = {"number": "BJ-2026-07", "name": "x", "status": "CLOSED"}
    assert (await put(world, path(world), body, version=1)).status_code == 200

    again = await put(world, path(world), {**body, "status": "ACTIVE"}, version=2)
    assert (again.status_code, again.json()["code"]) == (409, "ProjectClosed")
    point = {"name": "Gate 3", "region": "110105", "address": "x"}
    added = await world.http.post(f"{path(world)}/delivery-points", json=point, headers=signed_in(world.buyer) | once())
    assert added.json()["code"] == "ProjectClosed"


def test_only_listed_moves_are_moves() -> None:
    for old in ProjectStatus:
        for new in ProjectStatus:
            assert may_move(old, new) == (old == new or (old, new) in PROJECT_MOVES)
    assert not any(old is ProjectStatus.CLOSED for old, _ in PROJECT_MOVES)


async def test_a_delivery_point_is_added_and_changed(world: World) -> None:
    point = {"name": "Gate 3", "region": "110105", "address": "x", "contact_name": "王工"}
    where = f"{path(world)}/delivery-points"
    added = await world.http.post(where, json=point, headers=signed_in(world.buyer) | once())
    assert added.status_code == 201
    changed = await put(world, f"{where}/{added.json()['id']}", {**point, "name": "Gate 4"}, version=1)

    assert (changed.json()["name"], changed.json()["contact_name"], changed.json()["version"]) == ("Gate 4", "王工", 2)
    assert (await put(world, f"{where}/{uuid4()}", point, version=1)).json()["code"] == "DeliveryPointNotFound"


@pytest.mark.parametrize("region", ["", "1", "11010", "1101050", "ab", "１１"])
async def test_a_region_is_a_code(world: World, region: str) -> None:
    point = {"name": "Gate 3", "region": region, "address": "x"}
    answer = await world.http.post(
        f"{path(world)}/delivery-points", json=point, headers=signed_in(world.buyer) | once()
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "region"


async def test_strangers_learn_nothing_and_members_without_the_right_may_read(world: World) -> None:
    stranger = a_person(Role.BUYER)
    requester = a_person(Role.REQUESTER, company_id=world.buyer.company_id)
    body = {"number": "X", "name": "X"}

    assert (await world.read(stranger, path(world))).status_code == 404
    assert (await world.read(stranger, "/orders/projects")).json() == []
    headers = signed_in(stranger) | {"If-Match": '"1"'}
    assert (await world.http.put(path(world), json=body, headers=headers)).status_code == 404
    assert (await world.read(requester, path(world))).status_code == 200
    headers = signed_in(requester) | {"If-Match": '"1"'}
    assert (await world.http.put(path(world), json=body, headers=headers)).status_code == 403


async def test_projects_are_listed_newest_first_page_by_page(world: World) -> None:
    for number in range(4):
        await world.open_project(number=f"P-{number}", name=f"100%_{number}")

    first = await world.read(world.buyer, "/orders/projects", limit=2)
    assert [project["number"] for project in first.json()] == ["P-3", "P-2"]
    following = first.headers["Link"].partition("<")[2].partition(">")[0]
    second = await world.read(world.buyer, following)
    assert [project["number"] for project in second.json()] == ["P-1", "P-0"]
    found = await world.read(world.buyer, "/orders/projects", text="100%_2")
    assert [project["number"] for project in found.json()] == ["P-2"]
    assert (await world.read(world.buyer, "/orders/projects", status="CLOSED")).json() == []
