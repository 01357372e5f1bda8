"""Bodies of the upload routes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from services.catalog.uploads.tables import Upload, UploadProblem
from shared.contracts.fields import Answer

SHOWN_AT_MOST = 20


class UploadProblemView(Answer):
    """A row that was left out, or taken with a change."""

    severity: str = Field(examples=["rejected"])
    row: str = Field(description="A line of a CSV file, or a place in a JSON document.", examples=["17", "Classes.15"])
    field: str = Field(examples=["code"])
    code: str = Field(examples=["CodeMalformed"])
    message: str = Field(examples=["'14-20' is no code of GB/T 51269."])


class UploadView(Answer):
    """What became of a file."""

    id: UUID
    kind: str = Field(examples=["CODES"])
    file_name: str | None
    sha256: str
    bytes: int
    dry_run: bool = Field(description="Nothing was changed.")
    repeated: bool = Field(description="This very file was taken before; this is what became of it then.")
    subject: str | None = Field(description="What it made: the id of a reference dictionary.")
    counts: dict[str, int] = Field(examples=[{"rows": 120, "added": 118, "changed": 0, "unchanged": 0}])
    rejected: int
    warned: int
    by: str = Field(description="Who sent it.")
    at: datetime
    problems: list[UploadProblemView] = Field(
        description=f"The first {SHOWN_AT_MOST}; `problems.csv` has ten thousand of them."
    )


def upload_view(row: Upload, problems: Sequence[UploadProblem | Any] = (), *, repeated: bool = False) -> UploadView:
    """An upload with its first problems."""
    return UploadView(
        id=row.id,
        kind=row.kind,
        file_name=row.file_name,
        sha256=bytes(row.file_hash).hex(),
        bytes=row.bytes,
        dry_run=row.dry_run,
        repeated=repeated,
        subject=row.subject,
        counts=row.counts,
        rejected=row.rejected,
        warned=row.warned,
        by=row.by_name,
        at=row.at,
        problems=[UploadProblemView.model_validate(each) for each in problems[:SHOWN_AT_MOST]],
    )
