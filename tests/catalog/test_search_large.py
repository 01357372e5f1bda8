"""Which types count as large without being counted again: whole ones, never a part of one."""

from typing import cast

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from services.catalog.search import large
from services.catalog.search.dictionary import Group
from services.catalog.search.documents import TYPE_MARK
from services.catalog.search.ranking import Hits

MOST = 10
WHOLE = (TYPE_MARK + "RB-HRB",)


def a_session() -> AsyncSession:
    """Of a database of its own, never connected to: only which database it is matters here."""
    engine = create_engine("postgresql+psycopg://nobody@localhost/none")
    return cast("AsyncSession", Session(bind=engine))


def test_a_part_of_a_large_type_is_counted_for_itself():
    session = a_session()
    whole = Group(type_code="RB-HRB", wanted=WHOLE)
    parts = [
        Group(type_code="RB-HRB", wanted=WHOLE, without=("a",)),
        Group(type_code="RB-HRB", wanted=WHOLE, lacking=("a",), near=True),
        Group(type_code="RB-HRB", wanted=WHOLE, maybe=("a",), need=1),
        Group(type_code="RB-HRB", wanted=(*WHOLE, "a")),
    ]
    large.learn(session, hits=Hits(groups=[whole]), sizes=[MOST + 1])
    assert large.sizes(session, hits=Hits(groups=[whole, *parts]), most=MOST) == [MOST + 1, 0, 0, 0, 0]


def test_a_part_of_a_type_tells_nothing_of_the_whole():
    session = a_session()
    part = Group(type_code="RB-HRB", wanted=WHOLE, lacking=("a",), near=True)
    large.learn(session, hits=Hits(groups=[part]), sizes=[MOST + 1])
    assert large.sizes(session, hits=Hits(groups=[Group(type_code="RB-HRB", wanted=WHOLE)]), most=MOST) == [0]


def test_what_was_small_is_counted_again_after_a_while(monkeypatch: pytest.MonkeyPatch):
    session = a_session()
    hits = Hits(groups=[Group(type_code="RB-HRB", wanted=WHOLE), Group(type_code="ST-H", wanted=(TYPE_MARK + "ST-H",))])
    large.learn(session, hits=hits, sizes=[MOST - 3, MOST + 1])
    assert large.sizes(session, hits=hits, most=MOST) == [MOST - 3, MOST + 1]
    monkeypatch.setattr(large, "SMALL_FOR_SECONDS", -1.0)
    assert large.sizes(session, hits=hits, most=MOST) == [0, MOST + 1]


def test_a_type_without_variants_is_asked_for_every_time():
    session = a_session()
    hits = Hits(groups=[Group(type_code="RB-HRB", wanted=WHOLE)])
    large.learn(session, hits=hits, sizes=[0])
    assert large.sizes(session, hits=hits, most=MOST) == [0]
