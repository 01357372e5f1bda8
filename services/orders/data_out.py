"""What a company takes with it from `orders`: its projects and orders, as buyer and as supplier, and case files.

A supplier takes an order as it sees it: without the buyer's cost codes, notes and people.
"""

from shared.data_out import HOUSE_LEFT_OUT, HOUSE_SHEETS, DataOut, Sheet

_BOTH = ("buyer_id", "supplier_id")

DATA_OUT = DataOut(
    service="orders",
    sheets={
        **HOUSE_SHEETS,
        "projects": Sheet(owners=("buyer_id",), people={"created_by": "buyer_id"}),
        "delivery_points": Sheet(owners=("buyer_id",)),
        "number_counters": Sheet(owners=("buyer_id",)),
        "baskets": Sheet(owners=("buyer_id",), people={"placed_by": "buyer_id"}),
        "purchase_orders": Sheet(owners=_BOTH, people={"placed_by": "buyer_id"}, hidden={"placed_by": "buyer_id"}),
        "purchase_order_lines": Sheet(owners=_BOTH, hidden={"cost_code": "buyer_id", "note": "buyer_id"}),
        "line_changes": Sheet(owners=_BOTH, people={"proposed_by": None, "decided_by": None}),
        "order_history": Sheet(owners=_BOTH),
        "case_files": Sheet(
            owners=("owner_id", "operator_id"),
            parties=("ended_by_company",),
            people={"opened_by": "operator_id", "ended_by": "ended_by_company"},
        ),
        "case_file_looks": Sheet(owners=("owner_id", "operator_id"), people={"looked_by": "operator_id"}),
    },
    left_out={
        **HOUSE_LEFT_OUT,
        "stage_periods": "Told by `members`, which exports it.",
        "price_months": "Nobody's: which months have price statistics.",
        "price_statistics": "Nobody's: sums over at least five contractor groups.",
    },
)
