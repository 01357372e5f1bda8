"""What a company takes with it from `members`: itself, its people, keys without their secrets, circles and stages."""

from shared.data_out.contents import HOUSE_LEFT_OUT, HOUSE_SHEETS, DataOut, Sheet

_MY_CIRCLES = "SELECT id FROM circles WHERE :company = ANY (party_ids)"

DATA_OUT = DataOut(
    service="members",
    sheets={
        **HOUSE_SHEETS,
        "companies": Sheet(owners=("id",)),
        "operator_affiliates": Sheet(owners=("company_id",), parties=("operator_id",)),
        "company_names": Sheet(owners=("company_id",)),
        "company_links": Sheet(owners=("child_id", "parent_id")),
        "people": Sheet(owners=(), where="id IN (SELECT person_id FROM memberships WHERE company_id = :company)"),
        "memberships": Sheet(owners=("company_id",), people={"person_id": "company_id"}),
        "invitations": Sheet(owners=("company_id",), dropped=("token_hash",)),
        "api_clients": Sheet(
            owners=("company_id",),
            people={"created_by": "company_id"},
            dropped=("secret_hash", "previous_secret_hash"),
        ),
        "circles": Sheet(owners=("lead_id",), where=":company = ANY (party_ids)", parties=("party_ids",)),
        "circle_standings": Sheet(
            owners=("group_id",),
            parties=("agreed_ids",),
            people={"invited_by": None, "agreed_people": None, "answered_by": "group_id", "ended_by": None},
        ),
        "circle_history": Sheet(owners=(), where=f"circle_id IN ({_MY_CIRCLES})"),
        "leavings": Sheet(owners=("company_id",), people={"asked_by": "company_id", "ended_by": "company_id"}),
        "stages": Sheet(owners=("group_id",)),
        "stage_changes": Sheet(
            owners=("group_id",),
            parties=("operator_company_id", "gates_circle_ids"),
            people={
                "created_by": "group_id",
                "tenant_approver_id": "group_id",
                "operator_approver_id": "operator_company_id",
            },
        ),
        "stage_change_history": Sheet(owners=("group_id",)),
        "webhook_endpoints": Sheet(
            owners=("company_id",), people={"created_by": "company_id"}, dropped=("secret", "previous_secret")
        ),
        "webhook_deliveries": Sheet(owners=("company_id",), dropped=("lease", "attempts", "next_attempt_at")),
        "webhook_attempts": Sheet(owners=("company_id",)),
        "gate_evidence": Sheet(owners=("company_id", "group_id"), people={"recorded_by": "company_id"}),
    },
    left_out={
        **HOUSE_LEFT_OUT,
        "qualified_suppliers": "copied from `suppliers`, which exports it",
        "attempts": "wrong passwords, counted for some minutes",
        "credentials": "hashes of people's passwords, which are no company's",
        "sessions": "of people, who may act for several companies",
        "refresh_tokens": "secrets",
        "signing_keys": "the platform's secrets",
    },
)
