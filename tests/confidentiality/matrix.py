"""Everything that the four services can be asked, asked by somebody about somebody else's things."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.identity import Principal, Requires
from shared.ids import new_id
from tests.architecture.test_routes import BY_RIGHT, Route
from tests.confidentiality.forged import Filler, Operation, operations_of
from tests.confidentiality.victim import NUMBERS, WORDS, Victim
from tests.conftest import signed_in

BESIDE = {"PropertySetsNotInstalled"}
"""Problems of 5xx that say what this installation lacks; everything else of the kind is an accident."""
LONG = {"/members/feed", "/catalog/feed", "/suppliers/feed", "/orders/feed"}
"""Only our own services read feeds; what they carry is tried in test_canary.py."""


def opens(route: Route, rights: frozenset[str]) -> bool:
    """Whether a holder of these rights gets past the guards of a route."""
    needed = [guard.roles | guard.scopes for guard in route.guards if isinstance(guard, Requires)]
    return all(rights & each for each in needed if each)


CLOSED = {(route.method, route.path): route for route in BY_RIGHT}


@dataclass
class Party:
    """Somebody who tries everything."""

    name: str
    who: Principal | None
    reads: bool = False
    """Whether it is A's or its supplier's own, so that it may read what is A's."""
    trusted: bool = False
    """Whether it may change what others have: operators and our own services, each in its own way."""

    def is_stopped_at(self, operation: Operation) -> bool:
        """Whether the guard alone refuses it, which the test above has seen; nobody and who has no role try all."""
        route = CLOSED.get((operation.method, operation.path))
        rights = self.who.roles | self.who.scopes if self.who is not None else frozenset()
        return bool(rights) and route is not None and not opens(route, rights)


@dataclass
class Matrix:
    """Everything that can be asked, about A."""

    victim: Victim
    operations: list[Operation]
    fillers: dict[str, Filler]
    answers: Counter[int] = field(default_factory=Counter)
    read: set[str] = field(default_factory=set)
    """The marks that those who may read what is A's have found."""

    @classmethod
    def of(cls, victim: Victim) -> "Matrix":
        apps = {service: victim.app(service) for service in victim.story.doors.http}
        return cls(
            victim=victim,
            operations=[
                each for service, app in apps.items() for each in operations_of(service, app) if each.path not in LONG
            ],
            fillers={service: Filler(app, victim.fields) for service, app in apps.items()},
        )

    @property
    def questions(self) -> list[Operation]:
        return [each for each in self.operations if each.method == "GET"]

    async def ask(self, operation: Operation, who: Principal | None) -> httpx.Response:
        """One request: what it needs beside the body is there, so that it gets as far as it may."""
        headers = {"Idempotency-Key": str(new_id()), "If-Match": '"1"'} | ({} if who is None else signed_in(who))
        more: dict[str, Any] = {}
        if operation.media == "application/json":
            more["json"] = self.fillers[operation.service].value(operation.schema)
        elif operation.media is not None:
            headers["Content-Type"] = operation.media
            more["content"] = b"a,b\n1,2\n"
        named = {name: self.victim.fields[name] for name in operation.query if name in self.victim.fields}
        return await self.victim.story.doors.http[operation.service].request(
            operation.method, self.victim.address(operation.path), headers=headers, params=named or None, **more
        )

    async def tried_by(self, party: Party) -> list[str]:
        """What went wrong when somebody tried every route that its rights open."""
        wrong = []
        for operation in self.operations:
            if party.is_stopped_at(operation):
                continue
            answer = await self.ask(operation, party.who)
            self.answers[answer.status_code] += 1
            said = answer.text + str(answer.headers)
            if answer.status_code >= 500 and answer.json()["code"] not in BESIDE:
                wrong.append(f"{party.name}: {operation} fails: {answer.text}")
            if party.reads:
                self.read |= set(NUMBERS.findall(said)) | set(WORDS.findall(said))
                continue
            if NUMBERS.search(said) or (not party.trusted and WORDS.search(said)):
                wrong.append(f"{party.name}: {operation} tells: {answer.text}")
        return wrong
