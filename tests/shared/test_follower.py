"""Following a feed: exactly once, in order, and one bad event stops nobody."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.database import Database, transaction
from shared.errors import Unavailable
from shared.feed import Event
from shared.follower import FeedPage, Follower, event_from
from shared.ids import new_id

AT = datetime(2026, 11, 22, tzinfo=UTC)
COMPANY = new_id()


def events(*words: str) -> list[Event]:
    return [
        Event(id=new_id(), source="other", type="said", subject=word, time=AT, data={"text": word}, position=f"1-{n}")
        for n, word in enumerate(words, start=1)
    ]


class ListedFeed:
    """A feed that holds these events, as FeedClient would read it."""

    def __init__(self, listed: Sequence[Event]) -> None:
        self.listed = list(listed)

    async def page(self, *, after: str, limit: int, wait: float) -> FeedPage:
        start = next((n for n, e in enumerate(self.listed, 1) if e.position == after), 0)
        shown = self.listed[start : start + limit]
        position = shown[-1].position if shown else after
        return FeedPage(events=shown, position=position, as_of=AT, caught_up=len(shown) < limit)


async def write_down(session: AsyncSession, said: Sequence[Event]) -> None:
    for event in said:
        if event.data["text"] == "poison":
            message = "cannot swallow this"
            raise ValueError(message)
        await session.execute(
            text("INSERT INTO notes VALUES (:id, :company, :text)"),
            {"id": event.id, "company": COMPANY, "text": event.data["text"]},
        )


async def notes(database: Database) -> list[str]:
    async with transaction(database.system) as session:
        return list((await session.execute(text("SELECT text FROM notes ORDER BY id"))).scalars())


def follower(database: Database, feed: ListedFeed, page_size: int = 2, react=write_down) -> Follower:
    return Follower(source="other", feed=feed, sessions=database.system, reactions={"said": react}, page_size=page_size)


async def follow_to_the_end(one: Follower) -> None:
    while await one.step():
        pass


async def test_events_take_effect_once_also_after_a_restart(database: Database):
    feed = ListedFeed(events("a", "b", "c"))
    await follower(database, feed).step()
    await follow_to_the_end(follower(database, feed))
    await follow_to_the_end(follower(database, feed))
    assert await notes(database) == ["a", "b", "c"]


async def test_a_poison_event_is_parked_and_the_others_go_on(database: Database):
    feed = ListedFeed(events("a", "poison", "b", "c"))
    await follow_to_the_end(follower(database, feed, page_size=10))
    assert await notes(database) == ["a", "b", "c"]
    async with transaction(database.system) as session:
        parked = (await session.execute(text("SELECT * FROM parked_events"))).one()
    assert parked.error == "ValueError: cannot swallow this"
    assert event_from(parked.event) == feed.listed[1]


async def test_a_passing_fault_is_not_parked_and_moves_nothing(database: Database):
    faults: list[Exception] = [OperationalError("x", {}, Exception("gone")), Unavailable("away")]

    async def sometimes(session: AsyncSession, said: Sequence[Event]) -> None:
        if faults:
            raise faults.pop()
        await write_down(session, said)

    one = follower(database, ListedFeed(events("a")), react=sometimes)
    for kind in (Unavailable, OperationalError):
        with pytest.raises(kind):
            await one.step()
    await follow_to_the_end(one)
    assert await notes(database) == ["a"]


async def test_two_followers_of_one_source_never_apply_an_event_twice(database: Database):
    feed = ListedFeed(events("a", "b"))
    second = follower(database, feed)

    async def overtaken(session: AsyncSession, said: Sequence[Event]) -> None:
        await write_down(session, said)

    class Overtaking(ListedFeed):
        async def page(self, *, after: str, limit: int, wait: float) -> FeedPage:
            page = await super().page(after=after, limit=limit, wait=wait)
            await second.step()
            return page

    with pytest.raises(Unavailable):
        await follower(database, Overtaking(feed.listed), react=overtaken).step()
    assert await notes(database) == ["a", "b"]


async def test_an_event_of_no_interest_is_passed(database: Database):
    feed = ListedFeed(events("a"))
    one = Follower(source="other", feed=feed, sessions=database.system, reactions={})
    assert await one.step() == 1
    assert await one.step() == 0
    assert await notes(database) == []


async def test_an_event_whose_statement_takes_too_long_is_parked_not_waited_for(database: Database):
    class TooLongError(Exception):
        sqlstate = "57014"

    async def slow(session: AsyncSession, said: Sequence[Event]) -> None:
        if any(event.data["text"] == "slow" for event in said):
            raise OperationalError("x", {}, TooLongError())
        await write_down(session, said)

    await follow_to_the_end(follower(database, ListedFeed(events("a", "slow", "b")), react=slow, page_size=10))
    assert await notes(database) == ["a", "b"]
