"""Bodies too large for memory: onto the disk while they arrive."""

import asyncio
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request

from shared.errors import TooLarge

_WRITE_BYTES = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Spooled:
    """A body on disk."""

    path: Path
    size: int
    digest: bytes


async def spooled(request: Request, path: Path, *, limit: int, too_large: type[TooLarge]) -> Spooled:
    """The body, written to a file as it comes; memory holds a part of it. Raises `too_large`."""
    digest, size, held = hashlib.sha256(), 0, bytearray()
    handle = await asyncio.to_thread(path.open, "wb")
    try:
        async for part in request.stream():
            held += part
            size += len(part)
            _check_size(size, limit, too_large)
            if len(held) >= _WRITE_BYTES:
                await asyncio.to_thread(_write, handle, digest, bytes(held))
                held.clear()
        await asyncio.to_thread(_write, handle, digest, bytes(held))
    except BaseException:
        _remove(path)
        raise
    finally:
        handle.close()
    return Spooled(path=path, size=size, digest=digest.digest())


def _check_size(size: int, limit: int, too_large: type[TooLarge]) -> None:
    if size > limit:
        raise too_large(f"The body is larger than {limit} bytes; send it in parts.")


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _write(handle: io.BufferedWriter, digest: Any, part: bytes) -> None:
    handle.write(part)
    digest.update(part)
