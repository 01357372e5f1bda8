"""The manners every service shares, on a small service of notes."""

import asyncio
import base64
from collections.abc import Callable
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Response
from pydantic import BaseModel, Field
from sqlalchemy import text
from starlette.requests import Request

from shared import clock
from shared.contracts.fields import Body, ExactDecimal
from shared.database import Database, ReadSession, WriteSession, scope_to, transaction
from shared.errors import Conflict, refusals
from shared.feed import feed_router, publish
from shared.http import ExpectedVersion, check_version, create_service, etag, router
from shared.idempotency import EXEMPT, store_instead
from shared.identity import Caller, Operator, Role, Scope, TokenVerifier, Visitor
from shared.ids import new_id
from shared.paging import PageQuery
from shared.settings import ServiceSettings
from tests.conftest import a_person, a_service, once, signed_in, token_for


class NoteRefused(Conflict):
    """This note says no."""


class NoteBody(Body):
    text: str = Field(max_length=100)
    weight: ExactDecimal | None = None


class NoteView(BaseModel):
    id: UUID
    text: str


notes = router("/kernel", tag="notes")


@notes.post("/notes", status_code=201, responses=refusals(NoteRefused))
async def add_note(body: NoteBody, caller: Caller, session: WriteSession, response: Response) -> NoteView:
    note = NoteView(id=new_id(), text=body.text)
    await session.execute(
        text("INSERT INTO notes VALUES (:id, :company, :text)"),
        {"id": note.id, "company": caller.company, "text": body.text},
    )
    await publish(session, type="dev.dougong.kernel.note.added.v1", subject=str(note.id), data=note, at=clock.now())
    if body.text == "refuse":
        raise NoteRefused("This note says no.")
    if body.text == "slow":
        await asyncio.sleep(0.3)
    response.headers["ETag"] = etag(1)
    return note


@notes.post("/secrets", status_code=201)
async def make_secret(request: Request, _: Caller, session: WriteSession) -> dict[str, str]:
    store_instead(request, b'{"secret":null}')
    return {"secret": "shown-once"}


@notes.get("/notes")
async def list_notes(_: Caller, session: ReadSession, paging: PageQuery, response: Response) -> list[NoteView]:
    rows = await session.execute(
        text("SELECT id, text FROM notes WHERE CAST(:a AS uuid) IS NULL OR id > CAST(:a AS uuid) ORDER BY id LIMIT :n"),
        {"a": (paging.after_as(UUID) or [None])[0], "n": paging.limit + 1},
    )
    shown = paging.page(rows.all(), response, key=lambda row: [row.id])
    return [NoteView(id=row.id, text=row.text) for row in shown]


@notes.put("/notes")
async def change(_: Caller, version: ExpectedVersion) -> None:
    check_version(expected=version, actual=3)


@notes.post("/free", openapi_extra=EXEMPT)
async def free(_: Visitor) -> str:
    return "free"


@notes.get("/operators-only")
async def operators_only(_: Operator) -> str:
    return "operator"


@notes.get("/fault")
async def fault(_: Caller) -> str:
    message = "secret detail"
    raise RuntimeError(message)


@pytest.fixture
def app(database: Database, verifier: TokenVerifier) -> FastAPI:
    settings = ServiceSettings(database_url="", system_database_url="", body_limit_bytes=1000)
    return create_service(
        name="kernel",
        title="Kernel",
        description="",
        settings=settings,
        database=database,
        verifier=verifier,
        routers=[notes, feed_router("kernel")],
    )


@pytest.fixture
def http(app: FastAPI, http_to: Callable[[FastAPI], httpx.AsyncClient]) -> httpx.AsyncClient:
    return http_to(app)


async def count_notes(database: Database) -> int:
    async with transaction(database.system) as session:
        return int((await session.execute(text("SELECT count(*) FROM notes"))).scalar_one())


async def test_the_same_request_twice_has_one_effect_and_one_answer(http: httpx.AsyncClient, database: Database):
    headers = signed_in(a_person(Role.BUYER)) | once()
    first = await http.post("/kernel/notes", json={"text": "a"}, headers=headers)
    second = await http.post("/kernel/notes", json={"text": "a"}, headers=headers)
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.headers["ETag"] == first.headers["ETag"] == '"1"'
    assert await count_notes(database) == 1


async def test_the_same_key_with_another_body_is_refused(http: httpx.AsyncClient):
    headers = signed_in(a_person(Role.BUYER)) | once()
    await http.post("/kernel/notes", json={"text": "a"}, headers=headers)
    answer = await http.post("/kernel/notes", json={"text": "b"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "IdempotencyKeyReused")


async def test_two_companies_may_use_the_same_key(http: httpx.AsyncClient, database: Database):
    key = once()
    for person in (a_person(Role.BUYER), a_person(Role.BUYER)):
        assert (await http.post("/kernel/notes", json={"text": "a"}, headers=signed_in(person) | key)).is_success
    assert await count_notes(database) == 2


async def test_while_the_first_request_runs_the_second_is_told_so(http: httpx.AsyncClient, database: Database):
    headers = signed_in(a_person(Role.BUYER)) | once()
    answers = await asyncio.gather(
        *(http.post("/kernel/notes", json={"text": "slow"}, headers=headers) for _ in range(3))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert await count_notes(database) == 1


async def test_a_refusal_leaves_nothing_behind_and_may_be_tried_again(http: httpx.AsyncClient, database: Database):
    headers = signed_in(a_person(Role.BUYER)) | once()
    answer = await http.post("/kernel/notes", json={"text": "refuse"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "NoteRefused")
    assert answer.headers["content-type"] == "application/problem+json"
    assert await count_notes(database) == 0


async def test_a_post_without_a_key_is_told_to_send_one(http: httpx.AsyncClient):
    answer = await http.post("/kernel/notes", json={"text": "a"}, headers=signed_in(a_person(Role.BUYER)))
    assert (answer.status_code, answer.json()["code"]) == (400, "IdempotencyKeyMissing")
    assert (await http.post("/kernel/free")).status_code == 200


async def test_a_secret_is_not_kept_for_replays(http: httpx.AsyncClient):
    headers = signed_in(a_person(Role.BUYER)) | once()
    first = await http.post("/kernel/secrets", headers=headers)
    second = await http.post("/kernel/secrets", headers=headers)
    assert (first.json(), second.json()) == ({"secret": "shown-once"}, {"secret": None})


async def test_malformed_input_names_the_field_and_the_rule(http: httpx.AsyncClient):
    headers = signed_in(a_person(Role.BUYER))
    answer = await http.post("/kernel/notes", json={"text": 1, "wight": 2}, headers=headers | once())
    assert answer.status_code == 422
    assert {(e["field"], e["rule"]) for e in answer.json()["errors"]} == {
        ("text", "StringType"),
        ("wight", "UnknownField"),
    }
    json_type = {"Content-Type": "application/json"}
    answer = await http.post("/kernel/notes", content=b"{", headers=headers | once() | json_type)
    assert answer.json()["errors"][0]["rule"] == "InvalidJson"
    answer = await http.post("/kernel/notes", content=b"{}", headers=headers | once())
    assert answer.json()["errors"][0]["rule"] == "JsonExpected"
    answer = await http.post("/kernel/notes", json={"text": "a", "weight": 0.1}, headers=headers | once())
    assert "text" in answer.json()["errors"][0]["message"]
    answer = await http.post("/kernel/notes", content=b'{"text":"' + b"x" * 2000, headers=headers | once())
    assert (answer.status_code, answer.json()["code"]) == (413, "TooLarge")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"exp": 1}, "TokenInvalid"),
        ({"aud": "other"}, "TokenInvalid"),
        ({"iss": "other"}, "TokenInvalid"),
        ({"kind": "root"}, "TokenInvalid"),
    ],
)
async def test_a_token_that_is_not_ours_now_is_refused(http: httpx.AsyncClient, change, code):
    headers = {"Authorization": f"Bearer {token_for(a_person(Role.BUYER), **change)}"}
    answer = await http.get("/kernel/notes", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, code)


async def test_a_tampered_or_missing_token_is_refused(http: httpx.AsyncClient):
    token = token_for(a_person(Role.BUYER))
    for bad in (token[:-4] + "AAAA", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."):
        answer = await http.get("/kernel/notes", headers={"Authorization": f"Bearer {bad}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "TokenInvalid")
    answer = await http.get("/kernel/notes")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


async def test_a_member_without_the_right_is_refused(http: httpx.AsyncClient):
    answer = await http.get("/kernel/operators-only", headers=signed_in(a_person(Role.BUYER)))
    assert (answer.status_code, answer.json()["code"]) == (403, "RightMissing")


async def test_the_second_wall_holds_without_any_where_clause(http: httpx.AsyncClient, database: Database):
    mine, other = a_person(Role.BUYER), a_person(Role.BUYER)
    await http.post("/kernel/notes", json={"text": "mine"}, headers=signed_in(mine) | once())
    assert [n["text"] for n in (await http.get("/kernel/notes", headers=signed_in(mine))).json()] == ["mine"]
    assert (await http.get("/kernel/notes", headers=signed_in(other))).json() == []
    async with database.app() as session, session.begin():
        assert (await session.execute(text("SELECT count(*) FROM notes"))).scalar_one() == 0
        await scope_to(session, mine.company, other.company)
        assert (await session.execute(text("SELECT count(*) FROM notes"))).scalar_one() == 1


async def test_pages_follow_each_other_and_a_cursor_fits_only_its_query(http: httpx.AsyncClient):
    headers = signed_in(a_person(Role.BUYER))
    for number in range(5):
        await http.post("/kernel/notes", json={"text": str(number)}, headers=headers | once())
    seen: list[str] = []
    address: str | None = "/kernel/notes?limit=2"
    while address:
        answer = await http.get(address, headers=headers)
        seen += [note["text"] for note in answer.json()]
        address = answer.links.get("next", {}).get("url")
    assert seen == ["0", "1", "2", "3", "4"]
    cursor = (await http.get("/kernel/notes?limit=2", headers=headers)).links["next"]["url"].partition("cursor=")[2]
    forged = base64.urlsafe_b64encode(base64.urlsafe_b64decode(cursor + "==")[:16] + b"7]").decode()
    for bad in ("x", cursor + "&other=1", "%00", "W10", "MQ", forged):
        answer = await http.get(f"/kernel/notes?cursor={bad}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "CursorInvalid")
        assert [each["field"] for each in answer.json()["errors"]] == ["cursor"]
    for limit in ("0", "1000000", "x"):
        assert (await http.get(f"/kernel/notes?limit={limit}", headers=headers)).status_code == 422


async def test_a_version_is_needed_and_checked(http: httpx.AsyncClient):
    headers = signed_in(a_person(Role.BUYER))
    assert (await http.put("/kernel/notes", headers=headers)).status_code == 428
    assert (await http.put("/kernel/notes", headers=headers | {"If-Match": '"2"'})).status_code == 412
    assert (await http.put("/kernel/notes", headers=headers | {"If-Match": "*"})).status_code == 412
    assert (await http.put("/kernel/notes", headers=headers | {"If-Match": '"3"'})).status_code == 200


async def test_a_fault_tells_the_request_id_and_nothing_else(http: httpx.AsyncClient):
    headers = signed_in(a_person(Role.BUYER)) | {"X-Request-Id": "trace-1"}
    answer = await http.get("/kernel/fault", headers=headers)
    assert answer.status_code == 500
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"] == "trace-1"
    assert "secret detail" not in answer.text
    assert (await http.get("/nowhere")).json()["code"] == "NoSuchRoute"
    assert (await http.patch("/kernel/notes")).status_code == 405


async def test_health_and_metrics_answer_without_a_token(http: httpx.AsyncClient):
    assert (await http.get("/health/live")).json() == {"status": "live"}
    assert (await http.get("/health/ready")).json() == {"status": "ready"}
    assert "dougong_http_requests_total" in (await http.get("/metrics")).text
    assert (await http.get("/kernel/openapi.json")).json()["openapi"].startswith("3.1")


async def test_the_feed_serves_events_in_order_and_only_to_services(http: httpx.AsyncClient, database: Database):
    person = signed_in(a_person(Role.BUYER))
    for word in ("a", "b", "c"):
        await http.post("/kernel/notes", json={"text": word}, headers=person | once())
    assert (await http.get("/kernel/feed", headers=person)).status_code == 403
    reader = signed_in(a_service(Scope.FEED_READ))
    first = await http.get("/kernel/feed?limit=2", headers=reader)
    assert [event["data"]["text"] for event in first.json()] == ["a", "b"]
    assert first.headers["Feed-Caught-Up"] == "false"
    rest = await http.get(f"/kernel/feed?after={first.headers['Feed-Position']}", headers=reader)
    assert [event["data"]["text"] for event in rest.json()] == ["c"]
    assert rest.headers["Feed-Caught-Up"] == "true"
    for bad in ("x", "1", "1-x", "-1-2", "9" * 30 + "-1"):
        assert (await http.get(f"/kernel/feed?after={bad}", headers=reader)).json()["code"] == "PositionInvalid"


async def test_the_feed_never_passes_a_transaction_that_is_still_open(http: httpx.AsyncClient, database: Database):
    reader = signed_in(a_service(Scope.FEED_READ))
    async with database.app() as open_session, open_session.begin():
        await publish(open_session, type="t", subject="early", data={}, at=clock.now())
        async with transaction(database.app) as other:
            await publish(other, type="t", subject="late", data={}, at=clock.now())
        assert (await http.get("/kernel/feed", headers=reader)).json() == []
    events = (await http.get("/kernel/feed", headers=reader)).json()
    assert [event["subject"] for event in events] == ["early", "late"]
