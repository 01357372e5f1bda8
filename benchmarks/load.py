"""The load generator: `python -m benchmarks.load PLAN`, a process of its own that costs little.

Bodies come ready in a file, a request is joined bytes, an answer is cut out by its Content-Length: nothing is parsed
while the clock runs. A closed loop: every connection sends its next request when the last one is answered. It ends
after a number of requests or seconds, whichever comes first, and speaks to 127.0.0.1 alone.
"""

import asyncio
import hashlib
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import orjson
import uvloop
from pydantic import BaseModel

HOST = "127.0.0.1"
_GRACE_SECONDS = 60.0
"""How long an answer may take after the last request was sent."""


class Plan(BaseModel):
    """What to send; a file, since it holds tokens."""

    port: int
    path: str = ""
    """Of a POST; a GET has its address in its line of the file."""
    method: Literal["POST", "GET"] = "POST"
    tokens: list[str]
    """Of the buyers whose bodies stand in turn in the file."""
    key_prefix: str = ""
    """Idempotency keys are the prefix and the number of the request."""
    bodies: Path
    """One JSON body (POST) or address (GET) a line; in order, and again from the start when requests are more."""
    connections: int
    seconds: float
    most: int
    """No more requests than this."""


class Sent(BaseModel):
    """One request and what came of it."""

    number: int
    status: int
    milliseconds: float
    digest: str
    """SHA-256 of the answer's body."""


class Outcome(BaseModel):
    """A finished run."""

    sent: list[Sent]
    seconds: float
    """From the first request to the last answer."""
    processor_seconds: float
    """What the generator itself took meanwhile."""
    refusal: str = ""
    """The first answer that was not a 2xx, cut short."""

    @property
    def done(self) -> list[Sent]:
        """What was answered 201."""
        return [each for each in self.sent if each.status == 201]

    @property
    def per_second(self) -> float:
        """Answers of 201 a second."""
        return len(self.done) / self.seconds

    @property
    def read(self) -> list[Sent]:
        """What was answered 200."""
        return [each for each in self.sent if each.status == 200]


def key_of(plan: Plan, number: int) -> str:
    """The Idempotency-Key of a request."""
    return f"{plan.key_prefix}-{number}"


def token_of(plan: Plan, number: int) -> str:
    """The access token of a request."""
    return plan.tokens[number % len(plan.tokens)]


def run_load(plan: Plan, *, folder: Path) -> Outcome:
    """Run the generator as a process and wait for it.

    Raises:
        RuntimeError: it failed; with what it said.
    """
    file = folder / "load-plan.json"
    file.touch(mode=0o600)
    file.write_text(plan.model_dump_json())
    limit = plan.seconds + _GRACE_SECONDS + 30
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", str(file)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=limit,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"The load generator failed: {done.stderr.decode(errors='replace')[-1000:]}")
    return Outcome.model_validate_json(done.stdout)


@dataclass(slots=True)
class _Answer:
    number: int
    seconds: float
    status: int
    body: bytes


class _Connection(asyncio.Protocol):
    """One request at a time over one kept connection."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._received = bytearray()
        self._waiting: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's does not inherit it

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error or ConnectionResetError("closed by the server"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return
        headers = bytes(self._received[:head]).lower()
        mark = headers.find(b"content-length:")
        if mark < 0:
            self._finish(ValueError(f"an answer without Content-Length: {headers[:200]!r}"))
            return
        end = headers.find(b"\r\n", mark)
        length = int(headers[mark + 15 : end if end > 0 else None])
        if len(self._received) - head - 4 >= length:
            body = bytes(self._received[head + 4 : head + 4 + length])
            del self._received[: head + 4 + length]
            self._finish((int(headers[9:12]), body))

    def _finish(self, result: tuple[int, bytes] | Exception) -> None:
        if self._waiting is None or self._waiting.done():
            return
        if isinstance(result, Exception):
            self._waiting.set_exception(result)
        else:
            self._waiting.set_result(result)

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class _Loop:
    """All connections of one run; they share one counter of requests."""

    def __init__(self, plan: Plan, bodies: Sequence[bytes]) -> None:
        self._plan = plan
        self._bodies = bodies
        self._next = 0
        self._head = (
            f"POST {plan.path} HTTP/1.1\r\nHost: {HOST}:{plan.port}\r\nContent-Type: application/json\r\n"
        ).encode()
        self.answers: list[_Answer] = []

    def _request(self, number: int) -> bytes:
        body = self._bodies[number % len(self._bodies)]
        if self._plan.method == "GET":
            return b"GET %b HTTP/1.1\r\nHost: %b:%d\r\nAuthorization: Bearer %b\r\n\r\n" % (
                body,
                HOST.encode(),
                self._plan.port,
                token_of(self._plan, number).encode(),
            )
        return b"%bAuthorization: Bearer %b\r\nIdempotency-Key: %b\r\nContent-Length: %d\r\n\r\n%b" % (
            self._head,
            token_of(self._plan, number).encode(),
            key_of(self._plan, number).encode(),
            len(body),
            body,
        )

    async def _keep_sending(self, connection: _Connection, deadline: float) -> None:
        clock = time.perf_counter
        while self._next < self._plan.most and clock() < deadline:
            number = self._next
            self._next += 1
            request = self._request(number)
            begun = clock()
            status, body = await connection.send(request)
            self.answers.append(_Answer(number, clock() - begun, status, body))

    async def run(self) -> tuple[float, float]:
        """Seconds from the first request to the last answer, and the processor time they took here."""
        loop = asyncio.get_running_loop()
        connections = [
            (await loop.create_connection(_Connection, HOST, self._plan.port))[1] for _ in range(self._plan.connections)
        ]
        begun, used = time.perf_counter(), time.process_time()
        deadline = begun + self._plan.seconds
        async with asyncio.timeout(self._plan.seconds + _GRACE_SECONDS), asyncio.TaskGroup() as group:
            for connection in connections:
                group.create_task(self._keep_sending(connection, deadline))
        seconds, used = time.perf_counter() - begun, time.process_time() - used
        for connection in connections:
            connection.close()
        return seconds, used


def _outcome(answers: Sequence[_Answer], seconds: float, processor_seconds: float) -> Outcome:
    refused = next((answer for answer in answers if not 200 <= answer.status < 300), None)
    return Outcome(
        sent=[
            Sent(
                number=answer.number,
                status=answer.status,
                milliseconds=answer.seconds * 1000,
                digest=hashlib.sha256(answer.body).hexdigest(),
            )
            for answer in answers
        ],
        seconds=seconds,
        processor_seconds=processor_seconds,
        refusal="" if refused is None else f"{refused.status} {refused.body[:400].decode(errors='replace')}",
    )


def main() -> None:
    """Read the plan, run, write the outcome to standard output."""
    plan = Plan.model_validate(orjson.loads(Path(sys.argv[1]).read_bytes()))
    load = _Loop(plan, plan.bodies.read_bytes().splitlines())
    seconds, used = uvloop.run(load.run())
    sys.stdout.write(_outcome(load.answers, seconds, used).model_dump_json())


if __name__ == "__main__":
    main()
