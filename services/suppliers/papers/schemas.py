"""Bodies of the paper routes."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from services.suppliers.papers.queries import PaperSeen
from services.suppliers.papers.rules import Outcome, PaperKind
from shared.contracts.fields import Answer, Body, CalendarDate, Name, Text

PAPER_BODY: dict[str, Any] = {
    "required": True,
    "description": "The file itself. What it is, is told by its first bytes; Content-Type must agree or be left open.",
    "content": {
        kind: {"schema": {"type": "string", "format": "binary"}}
        for kind in ("application/pdf", "image/png", "image/jpeg", "application/octet-stream")
    },
}

Category = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,60}$"), Field(examples=["rebar"])]
FileName = Annotated[
    str,
    StringConstraints(min_length=3, max_length=200, pattern=r"^[^\x00-\x1f\x7f/\\]+$"),
    Field(examples=["licence.pdf"]),
]


class PaperParticulars(Body):
    """What a paper says of itself, beside its file."""

    kind: PaperKind
    issuer: Name = Field(examples=["上海市市场监督管理局"])
    number: Name = Field(examples=["XK05-001-00123"])
    valid_from: CalendarDate
    valid_until: CalendarDate | None = Field(default=None, description="The last day; none: without end.")
    category: list[Category] = Field(
        default_factory=list, max_length=100, description="What it is for; none: everything that needs its kind."
    )
    replaces: UUID | None = Field(default=None, description="The paper this one corrects or renews.")
    file_name: FileName


class PaperCheckGiven(Body):
    """A look taken at a paper."""

    outcome: Outcome
    reason: Text = Field(default="", description="Needed to refuse.", examples=["The seal cannot be read."])

    @model_validator(mode="after")
    def _refusal_has_reason(self) -> Self:
        if self.outcome is Outcome.REFUSED and not self.reason:
            message = "say why the paper is refused"
            raise ValueError(message)
        return self


class PaperView(Answer):
    """A paper, and what became of it."""

    id: UUID
    supplier_id: UUID
    kind: PaperKind
    categories: list[str]
    issuer: str
    number: str
    valid_from: date
    valid_until: date | None
    file_name: str
    media_type: str
    size_bytes: int
    file_sha256: str
    replaces: UUID | None
    replaced_by: UUID | None
    state: Literal["given", "accepted", "refused"]
    reason: str | None = Field(description="Of the last look.")
    verified_by: str | None
    verified_at: datetime | None
    given_at: datetime


class WaitingPaper(Answer):
    """A paper nobody has looked at yet."""

    id: UUID
    supplier_id: UUID
    supplier_name: str
    kind: PaperKind
    categories: list[str]
    issuer: str
    number: str
    valid_from: date
    valid_until: date | None
    given_at: datetime


def paper_view(seen: PaperSeen) -> PaperView:
    """A paper as its owner and its reviewers see it."""
    paper, check = seen.paper, seen.check
    return PaperView(
        **paper.model_dump(exclude={"file_hash", "given_by", "given_by_name"}),
        file_sha256=paper.file_hash.hex(),
        replaced_by=seen.replaced_by,
        state="given" if check is None else Outcome(check.outcome).value,
        reason=None if check is None else check.reason,
        verified_by=None if check is None else check.by_name,
        verified_at=None if check is None else check.checked_at,
    )
