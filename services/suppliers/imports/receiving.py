"""Taking a body in: what it says it is, and how long its sender waits."""

from fastapi import Request

from services.suppliers.imports.rules import CHARSETS, MEDIA_TYPES, Format
from shared.errors import TooLarge, UnsupportedMedia

_WAIT_DIGITS = 9


class MediaNotRead(UnsupportedMedia):
    """A sync takes CSV, NDJSON, a JSON array or XLSX, named by Content-Type; text is UTF-8 or (CSV) GB18030."""


class SyncTooLarge(TooLarge):
    """The body is larger than a sync may be; send it in parts."""


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


def wait_seconds(request: Request, *, most: float) -> float:
    """How long a client with `Prefer: wait` or `Prefer: wait=30` (RFC 7240) is to be kept waiting."""
    for preference in request.headers.get("prefer", "").split(","):
        name, _, value = preference.strip().partition("=")
        if name.lower() == "wait":
            stated = value.isascii() and value.isdigit() and len(value) <= _WAIT_DIGITS
            return min(most, int(value)) if stated else most
    return 0
