"""What a company takes with it from `suppliers`: its record, offers and stock as supplier, its holds as buyer."""

from shared.data_out import HOUSE_LEFT_OUT, HOUSE_SHEETS, DataOut, Sheet

DATA_OUT = DataOut(
    service="suppliers",
    sheets={
        **HOUSE_SHEETS,
        "suppliers": Sheet(owners=("company_id",)),
        "supplier_decisions": Sheet(owners=("supplier_id",)),
        "items": Sheet(owners=("supplier_id",)),
        "offers": Sheet(owners=("supplier_id",), parties=("audience_ids",), dropped=("audience_keys",)),
        "stock_levels": Sheet(owners=("supplier_id",)),
        "reservations": Sheet(owners=("buyer_id",), dropped=("request_hash",)),
        "reservation_lines": Sheet(owners=("supplier_id",)),
        "reservation_releases": Sheet(owners=("supplier_id",)),
        "sync_jobs": Sheet(
            owners=("supplier_id",),
            dropped=("file", "request_hash", "prepared", "position", "lease_id", "lease_until", "attempts"),
        ),
        "sync_row_problems": Sheet(owners=("supplier_id",)),
        "sync_streams": Sheet(owners=("supplier_id",)),
    },
    left_out={
        **HOUSE_LEFT_OUT,
        "known_editions": "copied from the common registers",
        "known_restrictions": "copied from the common registers",
        "known_variants": "copied from the common dictionary",
        "register_version": "the platform's own machinery",
        "sync_seen": "which rows a running sync has met; gone with it",
    },
)
