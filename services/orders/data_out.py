"""What a company takes with it from `orders`: its projects and orders, as buyer and as supplier, and case files.

A supplier takes an order as it sees it: without the buyer's cost codes, notes and people. Of a joint notice a group
takes what it may read of it: all who see it its lines, who takes part also history and result, and nobody the running
pool, which beside one's own quantity would tell another group's.
"""

from shared.data_out.contents import HOUSE_LEFT_OUT, HOUSE_SHEETS, DataOut, Sheet

_BOTH = ("buyer_id", "supplier_id")


def _takes_part(table: str, notice_id: str) -> str:
    return (
        f"EXISTS (SELECT FROM joint_participations p WHERE p.group_id = :company "
        f"AND p.notice_id = {table}.{notice_id} AND p.status = 'JOINED')"
    )


_SEES_THE_NOTICE = (
    "EXISTS (SELECT FROM joint_notices n WHERE n.group_id = joint_lines.group_id AND n.id = joint_lines.notice_id "
    "AND :company = ANY (n.party_ids))"
)

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
        "ordered_codes": Sheet(owners=("buyer_id",)),
        "line_changes": Sheet(owners=_BOTH, people={"proposed_by": None, "decided_by": None}),
        "order_history": Sheet(owners=_BOTH),
        "joint_notices": Sheet(
            owners=("group_id",),
            where=":company = ANY (party_ids)",
            parties=("group_id", "circle_id", "party_ids"),
            people={"opened_by": "group_id"},
            shown={"result": _takes_part("joint_notices", "id")},
            dropped=("audience_keys",),
        ),
        "joint_lines": Sheet(owners=("group_id",), where=_SEES_THE_NOTICE, dropped=("pooled",)),
        "joint_history": Sheet(owners=("group_id",), where=_takes_part("joint_history", "notice_id")),
        "joint_participations": Sheet(owners=("group_id",), people={"changed_by": "group_id"}),
        "joint_quantities": Sheet(owners=("group_id",)),
        "staged_agreement_lines": Sheet(
            owners=("group_id", "company_id", "supplier_id"),
            where=":company IN (group_id, company_id) OR supplier_id = :company AND withdrawn_at IS NULL",
        ),
        "price_history": Sheet(owners=("group_id", "company_id")),
        "legacy_imports": Sheet(
            owners=("company_id",),
            parties=("group_id",),
            people={"uploaded_by": "company_id", "approved_by": "company_id"},
            dropped=("file", "lease_id", "lease_until", "attempts"),
        ),
        "legacy_import_rows": Sheet(
            owners=("company_id",), people={"imported_by": "company_id", "decided_by": "company_id"}
        ),
        "legacy_import_errors": Sheet(owners=("company_id",)),
        "legacy_import_history": Sheet(owners=("company_id",), people={"who": "company_id"}),
        "case_files": Sheet(
            owners=("owner_id", "operator_id"),
            parties=("ended_by_company",),
            people={"opened_by": "operator_id", "ended_by": "ended_by_company"},
        ),
        "case_file_looks": Sheet(owners=("owner_id", "operator_id"), people={"looked_by": "operator_id"}),
    },
    left_out={
        **HOUSE_LEFT_OUT,
        "delivery_stops": "copied from `suppliers`, which exports the entries",
        "seen_stages": "copied from `members`, which exports it",
        "seen_circles": "copied from `members`, which exports it",
        "stage_periods": "Told by `members`, which exports it.",
        "price_months": "Nobody's: which months have price statistics.",
        "price_statistics": "Nobody's: sums over at least five contractor groups.",
    },
)
