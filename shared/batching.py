"""Group commit, also called natural batching: one set-based statement and one commit serve many callers.

While one flush runs, arriving items queue; the next flush takes them all. There is no timer, so an item that
arrives alone waits for nothing, and batches grow only as fast as the load does.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class GroupCommit(Generic[T, R]):
    """Collects items of concurrent callers into batches; one batch is under way at a time.

    `flush` answers with one result per item, in order; an exception in the place of a result is raised to that
    item's caller alone. What `flush` raises itself is raised to every caller of that batch, and to no other.
    """

    def __init__(self, flush: Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]], max_batch: int = 64) -> None:
        self._flush = flush
        self._max_batch = max_batch
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._running: asyncio.Task[None] | None = None

    def submit(self, item: T) -> asyncio.Future[R]:
        """The item's result, to be awaited.

        Cancelled before its flush has begun, an item is never flushed; afterwards its effect stands and only the
        answer is dropped, so the caller must be able to repeat the item.
        """
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._running is None:
            self._running = asyncio.ensure_future(self._run())
        return answer

    async def _run(self) -> None:
        # A task of its own: no caller's cancellation or timeout can end a flush that serves others.
        try:
            while self._waiting:
                batch = self._next_batch()
                if batch:
                    await self._serve(batch)
        finally:
            self._running = None
            while self._waiting:  # only when this task itself was cancelled: the process is stopping
                self._waiting.popleft()[1].cancel()

    def _next_batch(self) -> list[tuple[T, asyncio.Future[R]]]:
        batch: list[tuple[T, asyncio.Future[R]]] = []
        while self._waiting and len(batch) < self._max_batch:
            waiting = self._waiting.popleft()
            if not waiting[1].done():
                batch.append(waiting)
        return batch

    async def _serve(self, batch: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        answers = [answer for _, answer in batch]
        outcomes: Iterable[tuple[asyncio.Future[R], R | Exception]]
        try:
            outcomes = list(zip(answers, await self._flush([item for item, _ in batch]), strict=True))
        except asyncio.CancelledError:
            for answer in answers:
                answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - handed to the callers it belongs to
            outcomes = [(answer, error) for answer in answers]
        for answer, outcome in outcomes:
            if answer.done():
                continue
            if isinstance(outcome, Exception):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)
