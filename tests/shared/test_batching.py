"""Group commit: batches grow with the load, and callers cannot hurt each other."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.batching import GroupCommit


class Recorder:
    """A flush that doubles numbers, remembers its batches, and can be held back."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.running = 0

    async def flush(self, items: Sequence[int]) -> Sequence[int | Exception]:
        assert self.running == 0
        self.running += 1
        self.batches.append(list(items))
        try:
            await self.gate.wait()
            if 13 in items:
                raise LookupError("the whole flush fails")
            return [ValueError(f"{item} is refused") if item < 0 else item * 2 for item in items]
        finally:
            self.running -= 1


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_an_item_that_comes_alone_is_flushed_alone_and_at_once():
    recorder = Recorder()
    commits = GroupCommit(recorder.flush)
    assert await commits.submit(1) == 2
    assert await commits.submit(2) == 4
    assert recorder.batches == [[1], [2]]


async def test_items_that_come_while_a_flush_runs_share_the_next_one():
    recorder = Recorder()
    recorder.gate.clear()
    commits = GroupCommit(recorder.flush)
    first = commits.submit(1)
    await settle()
    others = [commits.submit(item) for item in (2, 3, 4)]
    await settle()
    assert recorder.batches == [[1]]
    recorder.gate.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6, 8]
    assert recorder.batches == [[1], [2, 3, 4]]


async def test_items_submitted_together_share_the_first_flush():
    recorder = Recorder()
    commits = GroupCommit(recorder.flush)
    assert await asyncio.gather(*map(commits.submit, range(5))) == [0, 2, 4, 6, 8]
    assert recorder.batches == [[0, 1, 2, 3, 4]]


async def test_a_batch_never_holds_more_than_it_may():
    recorder = Recorder()
    commits = GroupCommit(recorder.flush, max_batch=2)
    await asyncio.gather(*map(commits.submit, range(5)))
    assert recorder.batches == [[0, 1], [2, 3], [4]]


async def test_an_exception_for_one_item_reaches_only_its_caller():
    recorder = Recorder()
    commits = GroupCommit(recorder.flush)
    answers = await asyncio.gather(*map(commits.submit, (1, -1, 2)), return_exceptions=True)
    assert answers[0] == 2
    assert isinstance(answers[1], ValueError)
    assert answers[2] == 4


async def test_a_flush_that_fails_fails_its_own_batch_and_not_the_next():
    recorder = Recorder()
    commits = GroupCommit(recorder.flush, max_batch=2)
    answers = await asyncio.gather(*map(commits.submit, (1, 13, 2)), return_exceptions=True)
    assert isinstance(answers[0], LookupError)
    assert isinstance(answers[1], LookupError)
    assert answers[2] == 4


async def test_a_flush_that_forgets_an_item_is_a_fault_for_all_of_its_batch():
    async def forgetful(items: Sequence[int]) -> Sequence[int | Exception]:
        return list(items)[:-1]

    commits = GroupCommit(forgetful)
    answers = await asyncio.gather(*map(commits.submit, (1, 2)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ValueError, ValueError]


async def test_a_caller_who_gives_up_in_the_queue_is_not_flushed():
    recorder = Recorder()
    recorder.gate.clear()
    commits = GroupCommit(recorder.flush)
    first = commits.submit(1)
    await settle()
    given_up, patient = commits.submit(2), commits.submit(3)
    given_up.cancel()
    recorder.gate.set()
    assert list(await asyncio.gather(first, patient)) == [2, 6]
    assert recorder.batches == [[1], [3]]


async def test_a_queue_of_callers_who_all_gave_up_flushes_nothing():
    recorder = Recorder()
    commits = GroupCommit(recorder.flush)
    commits.submit(1).cancel()
    await settle()
    assert recorder.batches == []
    assert await commits.submit(2) == 4


async def test_a_caller_who_gives_up_during_the_flush_does_not_end_it_for_others():
    recorder = Recorder()
    recorder.gate.clear()
    commits = GroupCommit(recorder.flush)

    async def ask(item: int) -> int:
        return await commits.submit(item)

    impatient, patient = asyncio.create_task(ask(1)), asyncio.create_task(ask(2))
    await settle()
    impatient.cancel()
    await settle()
    recorder.gate.set()
    assert await patient == 4
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert recorder.batches == [[1, 2]]


async def test_a_timeout_of_one_caller_leaves_the_next_ones_served():
    recorder = Recorder()
    recorder.gate.clear()
    commits = GroupCommit(recorder.flush)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(commits.submit(1), 0.01)
    recorder.gate.set()
    assert await commits.submit(2) == 4


async def test_a_stopping_process_leaves_no_caller_waiting():
    recorder = Recorder()
    recorder.gate.clear()
    commits = GroupCommit(recorder.flush)
    running = commits.submit(1)
    await settle()
    queued = commits.submit(2)
    flusher = next(task for task in asyncio.all_tasks() if "GroupCommit" in repr(task.get_coro()))
    flusher.cancel()
    answers = await asyncio.gather(running, queued, return_exceptions=True)
    assert [type(answer) for answer in answers] == [asyncio.CancelledError, asyncio.CancelledError]
