"""Every message that may be sent is described, and every kind that may be asked for has an event behind it."""

from services.members.webhooks.description import _TOLD
from services.members.webhooks.facts import READERS
from services.members.webhooks.rules import PING, EventType


def test_each_kind_is_described_and_comes_from_an_event():
    assert set(_TOLD) == {*EventType, PING}
    assert {public for kinds in READERS.values() for public, _ in kinds.values()} == set(EventType)
    for source, kinds in READERS.items():
        assert all(kind.startswith(f"dev.dougong.{source}.") for kind in kinds)
