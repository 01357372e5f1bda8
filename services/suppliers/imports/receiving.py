"""Taking a body in: what it says it is, and onto the disk while it arrives."""

import asyncio
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request

from services.suppliers.imports.rules import CHARSETS, MEDIA_TYPES, Format
from shared.errors import TooLarge, UnsupportedMedia

_WRITE_BYTES = 1024 * 1024
_WAIT_DIGITS = 9


class MediaNotRead(UnsupportedMedia):
    """A sync takes CSV, NDJSON, a JSON array or XLSX, named by Content-Type; text is UTF-8 or (CSV) GB18030."""


class SyncTooLarge(TooLarge):
    """The body is larger than a sync may be; send it in parts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spooled:
    """A body on disk."""

    path: Path
    size: int
    digest: bytes


def format_of(request: Request) -> tuple[Format, str | None]:
    """What the body says it is: its format, and its charset if it names one. Raises MediaNotRead."""
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    format_ = MEDIA_TYPES.get(kind.strip().lower())
    if format_ is None:
        raise MediaNotRead(f"Content-Type {kind.strip() or '(none)'!r}: send one of {', '.join(MEDIA_TYPES)}.")
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "charset":
        return format_, None
    charset = CHARSETS.get(value.strip().strip('"').lower())
    if charset is None or (charset != "utf-8" and format_ is not Format.CSV):
        raise MediaNotRead(f"Charset {value.strip()} is not read; send UTF-8 (CSV may be GB18030).")
    return format_, charset


async def spooled(request: Request, path: Path, *, limit: int) -> Spooled:
    """The body, written to a file as it comes; memory holds a part of it. Raises SyncTooLarge."""
    digest, size, held = hashlib.sha256(), 0, bytearray()
    handle = await asyncio.to_thread(path.open, "wb")
    try:
        async for part in request.stream():
            held += part
            size += len(part)
            _check_size(size, limit)
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


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise SyncTooLarge(f"The body is larger than {limit} bytes; send it in parts.")


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _write(handle: io.BufferedWriter, digest: Any, part: bytes) -> None:
    handle.write(part)
    digest.update(part)


def wait_seconds(request: Request, *, most: float) -> float:
    """How long a client with `Prefer: wait` or `Prefer: wait=30` (RFC 7240) is to be kept waiting."""
    for preference in request.headers.get("prefer", "").split(","):
        name, _, value = preference.strip().partition("=")
        if name.lower() == "wait":
            stated = value.isascii() and value.isdigit() and len(value) <= _WAIT_DIGITS
            return min(most, int(value)) if stated else most
    return 0
