"""Bodies and answers of code mapping."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from services.catalog.mapping.columns import COLUMNS
from services.catalog.mapping.decisions import Acceptance, Decision, Verdict
from services.catalog.mapping.parsing import MEDIA_TYPES
from services.catalog.mapping.rules import JobState, Part, Relation, RowState
from services.catalog.mapping.tables import CodeMapping, MappingHistory, MappingJob, MappingRow, MappingRowError
from shared.contracts.catalog import MAPPINGS_AT_MOST
from shared.contracts.fields import Answer, Body, CalendarDate, QuantityText, Text

DECISIONS_AT_MOST = 1000
FILE_BODY: dict[str, Any] = {
    "required": True,
    "description": (
        f"Rows with these columns: {', '.join(COLUMNS)}; their names may be Chinese (物料编码, 名称, 规格型号, "
        "单位, 类别, 品牌, 状态, 单价, …), other columns are left aside. CSV in UTF-8 or GB18030, or an XLSX's "
        "first sheet."
    ),
    "content": {
        media: {
            "schema": {"type": "string", "format": "binary"},
            **({"example": "物料编码,名称,规格型号,单位\nA-001,钢筋,三级抗震 Φ20 12米,吨\n"} if "csv" in media else {}),
        }
        for media in MEDIA_TYPES
    },
}

Note = Annotated[str, Field(max_length=500)]


class JobProblem(Answer):
    """Why a file could not be taken."""

    code: str
    detail: str
    row: int | None = None


class JobView(Answer):
    """An import."""

    id: UUID
    company_id: UUID
    state: JobState
    dry_run: bool
    file_name: str
    file_hash: str = Field(description="SHA-256. The same file answers with the same import.")
    for_group: bool
    uploaded_by: UUID
    approved_by: UUID | None
    approved_at: datetime | None
    effective_from: date | None
    rows_read: int
    rows_taken: int
    rows_rejected: int
    rows_matched: int
    rows_published: int
    rows: dict[str, int] | None = Field(
        default=None, description="How many rows are in each state; `sample_open`: sampled ones nobody looked at yet."
    )
    warnings: list[str]
    problem: JobProblem | None
    created_at: datetime
    updated_at: datetime
    repeated: bool = Field(default=False, description="The file was sent before; nothing was done.")


_COUNTED = (*(str(state) for state in RowState), "sample_open")


def job_view(job: MappingJob, *, counted: bool = False, repeated: bool = False) -> JobView:
    """A job as its company sees it."""
    return JobView(
        id=job.id,
        company_id=job.company_id,
        state=JobState(job.state),
        dry_run=job.dry_run,
        file_name=job.file_name,
        file_hash=bytes(job.file_hash).hex(),
        for_group=job.group_id is not None,
        uploaded_by=job.uploaded_by,
        approved_by=job.approved_by,
        approved_at=job.approved_at,
        effective_from=job.effective_from,
        rows_read=job.rows_read,
        rows_taken=job.rows_taken,
        rows_rejected=job.rows_rejected,
        rows_matched=job.rows_matched,
        rows_published=job.rows_published,
        rows={name: job.row_counts.get(name, 0) for name in _COUNTED} if counted else None,
        warnings=job.warnings,
        problem=None if job.problem is None else JobProblem(**job.problem),
        created_at=job.created_at,
        updated_at=job.updated_at,
        repeated=repeated,
    )


class RowErrorView(Answer):
    """What was wrong with a row."""

    row: int
    column: str
    code: str
    severity: Literal["rejected", "warning"]
    text: str


def error_view(error: MappingRowError) -> RowErrorView:
    """One line of the error file."""
    return RowErrorView(
        row=error.row_no,
        column=error.column_name,
        code=error.code,
        severity="rejected" if error.severity == "rejected" else "warning",
        text=error.text,
    )


class PartView(Answer):
    """A variant a code leads to."""

    variant_key: str
    relation: Relation
    condition: str
    quantity: Decimal


class CandidateView(Answer):
    """What a row may mean, with the reasons."""

    variant_key: str | None = Field(description="None while identity attributes are missing.")
    type_code: str
    known: dict[str, str]
    name_zh: str
    score: Decimal
    reasons: list[dict[str, str]]


class RowView(Answer):
    """A row under review."""

    row_no: int
    legacy_code: str
    name: str
    spec: str
    unit: str
    others: dict[str, str]
    state: RowState
    relation: Relation | None
    score: Decimal | None
    type_code: str | None
    candidates: list[CandidateView]
    asks_for: list[str] = Field(description="Identity attributes the row must still state.")
    sampled: bool
    several: bool = Field(description="The file gives this code another specification too.")
    parts: list[PartView]
    decided_by: UUID | None
    decided_at: datetime | None
    note: str | None


def row_view(row: MappingRow) -> RowView:
    """A row with its candidates."""
    return RowView.model_validate(row)


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


def history_view(entry: MappingHistory) -> HistoryView:
    """One entry."""
    return HistoryView.model_validate(entry)


class PartBody(Body):
    """One variant behind a row: the only one, one case of a split, or one piece of a kit."""

    variant_key: Annotated[str, Field(min_length=3, max_length=1000)]
    relation: Relation = Relation.EXACT
    condition: Annotated[str, Field(max_length=200)] = ""
    quantity: QuantityText = Decimal(1)


class DecisionBody(Body):
    """A decision about one row. `confirm` without parts takes the row's first candidate."""

    row_no: Annotated[int, Field(ge=1, lt=2**62)]
    decision: Verdict
    parts: Annotated[tuple[PartBody, ...], Field(max_length=50)] = ()
    condition: Annotated[str, Field(max_length=200)] = ""
    note: Note | None = None

    @property
    def as_decision(self) -> Decision:
        return Decision(
            row_no=self.row_no,
            verdict=self.decision,
            parts=[
                Part(
                    variant_key=part.variant_key,
                    relation=part.relation,
                    condition=part.condition.strip(),
                    quantity=format(part.quantity, "f"),
                )
                for part in self.parts
            ],
            condition=self.condition.strip(),
            note=self.note,
        )


class DecisionsBody(Body):
    """Decisions, all taken or none."""

    decisions: Annotated[list[DecisionBody], Field(min_length=1, max_length=DECISIONS_AT_MOST)]

    @model_validator(mode="after")
    def _each_row_once(self) -> Self:
        numbers = [each.row_no for each in self.decisions]
        if len(set(numbers)) < len(numbers):
            message = "a row is decided about once in a request"
            raise ValueError(message)
        return self


class AcceptanceBody(Body):
    """Which proposals are confirmed as they are, all at once."""

    states: Annotated[tuple[Literal[RowState.NEEDS_REVIEW, RowState.AUTO_ACCEPTED], ...], Field(min_length=1)] = (
        RowState.NEEDS_REVIEW,
    )
    least_score: Annotated[Decimal, Field(ge=0, le=1)] | None = None
    type_code: Annotated[str, Field(max_length=40)] | None = None
    sampled: bool | None = None
    note: Note | None = None

    @property
    def as_acceptance(self) -> Acceptance:
        return Acceptance(
            states=self.states,
            least_score=self.least_score,
            type_code=self.type_code,
            sampled=self.sampled,
            note=self.note,
        )


class AcceptanceAnswer(Answer):
    """How many rows were confirmed."""

    confirmed: int


class ApprovalBody(Body):
    """From which day it holds (today unless named), and whether rows that wait for a person are left out."""

    effective_from: CalendarDate | None = None
    leave_open: bool = False


class NoteBody(Body):
    """Why."""

    note: Text | None = None


class MappingView(Answer):
    """A published version of what a code means."""

    id: UUID
    company_id: UUID
    legacy_code: str
    legacy_name: str
    legacy_spec: str
    legacy_unit: str
    version: int
    part: int
    relation: Relation
    condition: str = Field(description="Of a split: when the code means this variant.")
    quantity: Decimal = Field(description="Of a kit: how many of it, in the variant's base unit.")
    variant_id: UUID
    variant_key: str
    valid_from: date
    valid_until: date | None
    used_at: datetime | None
    rolled_back_at: datetime | None
    job_id: UUID
    row_no: int


def mapping_view(mapping: CodeMapping) -> MappingView:
    """A mapping as its company, or its group, sees it."""
    return MappingView.model_validate(mapping)


class UsedBody(Body):
    """Which mappings a live document uses."""

    company_id: UUID
    mapping_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAPPINGS_AT_MOST)]
