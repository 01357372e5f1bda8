"""Cursor paging: stable under inserts, bound to its query, announced by a `Link` header (RFC 8288)."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

import orjson
from fastapi import Depends, Query, Request, Response

from shared.errors import FieldError, Unprocessable

MAX_LIMIT = 200
T = TypeVar("T")


class CursorInvalid(Unprocessable):
    """The cursor is damaged or belongs to another query; start again without it."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, errors=[FieldError(field="cursor", rule="CursorInvalid", message=detail)])


@dataclass(frozen=True, kw_only=True, slots=True)
class Paging:
    """What the caller asked for: how many rows, after which key."""

    limit: int
    after: tuple[Any, ...] | None
    _request: Request

    def after_as(self, *kinds: Callable[[Any], Any]) -> tuple[Any, ...] | None:
        """The key to go on after, each value read by its kind (`UUID`, `str`, `datetime.fromisoformat`, …).

        Raises:
            CursorInvalid: the cursor was made up.
        """
        if self.after is None:
            return None
        try:
            return tuple(kind(_storable(value)) for kind, value in zip(kinds, self.after, strict=True))
        except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
            raise CursorInvalid("The cursor is damaged; start again without it.") from error

    def page(self, rows: Sequence[T], response: Response, *, key: Callable[[T], Sequence[Any]]) -> list[T]:
        """The page out of `limit + 1` rows read; sets `Link: …; rel="next"` when there is more.

        `key` gives the values the query is ordered by, as JSON values; they come back as `after`.
        """
        shown = list(rows[: self.limit])
        if len(rows) > self.limit:
            response.headers["Link"] = f'<{_next_address(self._request, key(shown[-1]))}>; rel="next"'
        return shown


def _storable(value: Any) -> Any:
    """A cursor's value as PostgreSQL could hold it."""
    if isinstance(value, str) and "\x00" in value:
        message = "NUL"
        raise ValueError(message)
    if isinstance(value, int | float) and abs(value) >= 2**63:
        message = "out of range"
        raise ValueError(message)
    return value


def _fingerprint(request: Request) -> str:
    query = sorted((k, v) for k, v in request.query_params.multi_items() if k not in {"cursor", "limit"})
    return hashlib.sha256(f"{request.url.path}?{urlencode(query)}".encode()).hexdigest()[:12]


def _next_address(request: Request, key: Sequence[Any]) -> str:
    packed = orjson.dumps([_fingerprint(request), *key], default=str)
    cursor = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    others = [(k, v) for k, v in request.query_params.multi_items() if k != "cursor"]
    return f"{request.url.path}?{urlencode([*others, ('cursor', cursor)])}"


def _after(request: Request, cursor: str | None) -> tuple[Any, ...] | None:
    if cursor is None:
        return None
    try:
        unpacked = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        fingerprint, *key = unpacked
    except (binascii.Error, ValueError, TypeError) as error:
        raise CursorInvalid("The cursor is damaged; start again without it.") from error
    if fingerprint != _fingerprint(request):
        raise CursorInvalid("The cursor belongs to another query; start again without it.")
    return tuple(key)


async def _paging(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows on a page.")] = 50,
    cursor: Annotated[
        str | None, Query(max_length=2000, description="From the Link header of the page before.")
    ] = None,
) -> Paging:
    return Paging(limit=limit, after=_after(request, cursor), _request=request)


PageQuery = Annotated[Paging, Depends(_paging)]
