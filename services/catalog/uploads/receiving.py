"""Taking a file in while it arrives: on disk beyond the first megabyte, hashed, and no longer than allowed."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO

from fastapi import Request

from shared.errors import TooLarge, UnsupportedMedia

HELD_IN_MEMORY = 1024 * 1024


class FileTooLarge(TooLarge):
    """The file is larger than this route takes; `detail` says how large it may be."""


class MediaNotTaken(UnsupportedMedia):
    """Content-Type names something this route does not read; `detail` says what it reads."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """A file that arrived whole."""

    name: str | None
    file: IO[bytes]
    size: int
    digest: bytes


def check_media(request: Request, *taken: str) -> None:
    """Raises MediaNotTaken."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in taken:
        raise MediaNotTaken(f"Content-Type {kind or '(none)'!r} is not read here; send {' or '.join(taken)}.")


@asynccontextmanager
async def received(request: Request, *, name: str | None, limit: int) -> AsyncIterator[Received]:
    """The request's body; gone from the disk when the block ends. Raises FileTooLarge."""
    digest, size = hashlib.sha256(), 0
    with tempfile.SpooledTemporaryFile(max_size=HELD_IN_MEMORY) as file:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise FileTooLarge(f"The file is larger than {limit} bytes; send it in parts.")
            digest.update(part)
            await asyncio.to_thread(file.write, part)
        await asyncio.to_thread(file.seek, 0)
        yield Received(name=name, file=file, size=size, digest=digest.digest())
