"""Refusals: every "no" of a service, sent as RFC 9457 problem+json.

    Refusal
    ├─ Unauthenticated      401   who are you?
    ├─ Forbidden            403   a member without the right
    ├─ NotFound             404   not there, or not for strangers to know
    ├─ Conflict             409   the business says no
    ├─ PreconditionFailed   412   somebody changed it before you
    ├─ TooLarge             413
    ├─ UnsupportedMedia     415
    ├─ Unprocessable        422   malformed input
    ├─ PreconditionRequired 428   say which version you saw
    ├─ TooManyRequests      429
    └─ Unavailable          503   try again with the same Idempotency-Key

A service declares its own subclasses beside the action that raises them; the class name is the wire `code`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, Field

PROBLEM_JSON = "application/problem+json"


class FieldError(BaseModel):
    """What is wrong with one field: where it stands, which rule it breaks, and the sentence for a person."""

    field: str = Field(examples=["lines.3.quantity"])
    rule: str = Field(examples=["QuantityTooPrecise"])
    message: str = Field(examples=["t takes at most 3 decimal places; 1.23456 has 5."])


class Problem(BaseModel):
    """The body of every error (RFC 9457)."""

    type: str = Field(examples=["https://dougong.dev/problems/BasketRefused"])
    title: str
    status: int
    code: str = Field(description="Stable name of the refusal, for programs.")
    detail: str = Field(description="One sentence for a person.")
    instance: str | None = Field(default=None, description="The request's path.")
    request_id: str | None = None
    errors: list[FieldError] = Field(default_factory=list)


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """A "no" with a reason. `extra` members go into the problem as they are."""

    status: ClassVar[int] = 400
    title: ClassVar[str] = "Refused"

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.extra = extra

    @property
    def code(self) -> str:
        return type(self).__name__


class Unauthenticated(Refusal):
    """The caller did not show a valid access token."""

    status = 401
    title = "Not signed in"


class Forbidden(Refusal):
    """A member of the company, but without the role or scope this needs."""

    status = 403
    title = "Not allowed"


class NotFound(Refusal):
    """It does not exist, or the caller may not know that it does."""

    status = 404
    title = "Not found"


class Conflict(Refusal):
    """The request is well formed and the business refuses it."""

    status = 409
    title = "Refused by a rule"


class PreconditionFailed(Refusal):
    """The object changed since the version the caller saw."""

    status = 412
    title = "Changed in the meantime"


class TooLarge(Refusal):
    """The body is larger than this route takes."""

    status = 413
    title = "Too large"


class UnsupportedMedia(Refusal):
    """The body's media type or encoding is not one this route reads."""

    status = 415
    title = "Unsupported media type"


class Unprocessable(Refusal):
    """The request is malformed."""

    status = 422
    title = "Malformed request"


class PreconditionRequired(Refusal):
    """The request must say which version it was made for."""

    status = 428
    title = "Version needed"


class TooManyRequests(Refusal):
    """Too many attempts; wait as long as Retry-After says."""

    status = 429
    title = "Too many requests"


class Unavailable(Refusal):
    """Something this needs does not answer now; repeat with the same Idempotency-Key."""

    status = 503
    title = "Try again"


def problem_of(refusal: Refusal, *, instance: str | None = None, request_id: str | None = None) -> dict[str, Any]:
    """The problem+json body of a refusal."""
    return {
        "type": f"https://dougong.dev/problems/{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "code": refusal.code,
        "detail": refusal.detail,
        "instance": instance,
        "request_id": request_id,
        "errors": [error.model_dump() for error in refusal.errors],
        **refusal.extra,
    }


def refusals(*classes: type[Refusal]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route: its refusals by status, each with an example named by its code."""
    answers: dict[int | str, dict[str, Any]] = {}
    for refusal in classes:
        answer = answers.setdefault(
            refusal.status,
            {"model": Problem, "description": refusal.title, "content": {PROBLEM_JSON: {"examples": {}}}},
        )
        sentence = " ".join((refusal.__doc__ or refusal.title).split())
        answer["content"][PROBLEM_JSON]["examples"][refusal.__name__] = {
            "summary": sentence,
            "value": {
                "type": f"https://dougong.dev/problems/{refusal.__name__}",
                "title": refusal.title,
                "status": refusal.status,
                "code": refusal.__name__,
                "detail": sentence,
                "errors": [],
            },
        }
    return answers
