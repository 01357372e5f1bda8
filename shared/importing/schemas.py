"""Bodies and answers of the import routes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import Answer, Body
from shared.importing.columns import Columns
from shared.importing.files import MEDIA_TYPES
from shared.importing.review import Decision
from shared.importing.states import JobState, RowState
from shared.importing.store import Import

DECISIONS_AT_MOST = 1000
Note = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f]*$")]


def file_body(columns: Columns) -> dict[str, Any]:
    """The description of a file with these columns."""
    names = ", ".join(
        f"{column.name} ({column.names.split()[0]})" if column.names else column.name
        for column in columns.columns.values()
    )
    return {
        "required": True,
        "description": (
            f"Rows with these columns: {names}; needed: {', '.join(columns.required)}. Other columns are left aside. "
            "CSV in UTF-8 or GB18030, or an XLSX's first sheet."
        ),
        "content": {media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA_TYPES},
    }


class ImportProblem(Answer):
    """Why a file could not be taken."""

    code: str = Field(examples=["OtherTenantNamed"])
    detail: str
    row: int | None = None


class ImportView(Answer):
    """An import."""

    id: UUID
    company_id: UUID
    group_id: UUID
    kind: str
    state: JobState
    dry_run: bool
    file_name: str
    file_hash: str = Field(description="SHA-256. The same file answers with the same import.")
    uploaded_by: UUID
    approved_by: UUID | None
    approved_at: datetime | None
    rows_read: int
    rows_rejected: int
    rows_published: int
    rows: dict[str, dict[str, int]] | None = Field(
        default=None, description="How many rows are in each state, by outcome.", examples=[{"READY": {"NEW": 12}}]
    )
    remarks: dict[str, int] | None = Field(default=None, description="In how many rows each remark was made, by code.")
    warnings: list[str]
    problem: ImportProblem | None
    created_at: datetime
    updated_at: datetime
    repeated: bool = Field(default=False, description="The file was sent before; nothing was done.")


def import_view(
    job: Import,
    *,
    counts: Mapping[str, Mapping[str, int]] | None = None,
    remarks: Mapping[str, int] | None = None,
    repeated: bool = False,
) -> ImportView:
    """An import as its company sees it."""
    return ImportView(
        id=job.id,
        company_id=job.company_id,
        group_id=job.group_id,
        kind=job.kind,
        state=job.state,
        dry_run=job.dry_run,
        file_name=job.file_name,
        file_hash=job.file_hash.hex(),
        uploaded_by=job.uploaded_by,
        approved_by=job.approved_by,
        approved_at=job.approved_at,
        rows_read=job.rows_read,
        rows_rejected=job.rows_rejected,
        rows_published=job.rows_published,
        rows=None if counts is None else {state: dict(by) for state, by in counts.items()},
        remarks=None if remarks is None else dict(remarks),
        warnings=list(job.warnings),
        problem=None if job.problem is None else ImportProblem(**job.problem),
        created_at=job.created_at,
        updated_at=job.updated_at,
        repeated=repeated,
    )


class RowView(Answer):
    """A row and what becomes of it."""

    row_no: int
    cells: dict[str, str]
    state: RowState
    outcome: str | None
    result: dict[str, Any]
    choice: str | None


class RowErrorView(Answer):
    """What was wrong with a row."""

    row: int
    column: str
    code: str
    severity: Literal["rejected", "warning"]
    text: str


class HistoryView(Answer):
    """Who did what, and when."""

    id: UUID
    row_no: int | None
    before: str | None
    after: str
    who: str
    who_name: str
    at: datetime
    note: str | None


class DecisionBody(Body):
    """About one row that waits. `accept` without a choice takes the first of the row's choices."""

    row_no: Annotated[int, Field(ge=1, lt=2**62)]
    decision: Literal["accept", "decline"]
    choice: Annotated[str | None, Field(max_length=60, pattern=r"^[A-Za-z0-9_-]+$")] = None
    note: Note | None = None

    @property
    def as_decision(self) -> Decision:
        return Decision(row_no=self.row_no, accept=self.decision == "accept", choice=self.choice, note=self.note)


class DecisionsBody(Body):
    """Decisions about rows."""

    decisions: Annotated[list[DecisionBody], Field(min_length=1, max_length=DECISIONS_AT_MOST)]


class DecisionsAnswer(Answer):
    """How many decisions were taken."""

    decided: int


class ApprovalBody(Body):
    """Approve what is READY."""

    leave_open: bool = Field(default=False, description="Leave out the rows that wait for a person.")


class NoteBody(Body):
    """Why."""

    note: Note | None = None
