"""What a sync looks like over HTTP; the models themselves are in `shared.contracts.suppliers`."""

from collections.abc import Sequence
from typing import Any

from services.suppliers.imports.rules import COLUMNS, MEDIA_TYPES, Format, Phase, SequenceOutcome, SyncMode, SyncState
from services.suppliers.imports.tables import SyncJob, SyncRowProblem
from shared.contracts.suppliers import SyncCounts, SyncGap, SyncProblemRow, SyncProgress, SyncView

_CSV = (
    "item_no,stock_point,on_hand,as_of,price,currency,tax_rate,tax_inclusive,unit\n"
    "HRB400E-20-12,main,120.500,2026-11-22T06:00:00+08:00,3253.00,CNY,0.13,true,t\n"
)
_ROW = {"item_no": "HRB400E-20-12", "stock_point": "main", "on_hand": "120.500", "price": "3253.00"}
_EXAMPLES: dict[str, Any] = {
    "text/csv": _CSV,
    "application/x-ndjson": '{"item_no":"HRB400E-20-12","stock_point":"main","on_hand":"120.500"}\n',
    "application/json": [_ROW],
}
SYNC_BODY: dict[str, Any] = {
    "required": True,
    "description": (
        f"Rows with these columns: {', '.join(COLUMNS)}. CSV headers may be Chinese (物料编码, 库存, 单价, …). "
        "`regions` are separated by `;`, `properties` are `k=v; …`. A new item names its `variant` by key, or its "
        "`type` and `properties`. `on_hand` counts in `unit`, or in that of the item's offer, or in its base unit."
    ),
    "content": {
        media: {
            "schema": {"type": "array", "items": {"type": "object"}}
            if media == "application/json"
            else {"type": "string", "format": "binary"},
            **({"example": _EXAMPLES[media]} if media in _EXAMPLES else {}),
        }
        for media in MEDIA_TYPES
    },
}


def sync_view(job: SyncJob, rows: Sequence[SyncRowProblem], *, snapshot_needed: bool) -> SyncView:
    """A job with the first of its remarks."""
    gap = None
    if job.expected_sequence is not None and job.sequence is not None:
        gap = SyncGap(expected=job.expected_sequence, received=job.sequence)
    return SyncView(
        id=job.id,
        supplier_id=job.supplier_id,
        state=SyncState(job.state).value,
        mode=SyncMode(job.mode).value,
        feed=job.feed,
        sequence=job.sequence,
        outcome=None if job.outcome is None else SequenceOutcome(job.outcome).value,
        gap=gap,
        snapshot_needed=snapshot_needed,
        format=Format(job.format).value,
        encoding=job.encoding,
        counts=SyncCounts(
            accepted=job.accepted,
            unchanged=job.unchanged,
            rejected=job.rejected,
            warned=job.warned,
            zeroed=job.zeroed,
        ),
        progress=SyncProgress(
            phase=Phase(job.phase).value,
            bytes_done=job.bytes_done,
            bytes_total=job.bytes_total,
            rows_done=job.rows_done,
        ),
        warnings=job.warnings,
        problem=job.problem,
        problems=[problem_row(row) for row in rows],
        created_at=job.created_at,
        finished_at=job.finished_at,
    )


def problem_row(row: SyncRowProblem) -> SyncProblemRow:
    """A row with a remark."""
    return SyncProblemRow(
        row=row.row_no,
        severity="rejected" if row.severity == "rejected" else "warning",
        item_no=row.item_no,
        field=row.field,
        code=row.code,
        message=row.message,
    )
