"""What a company takes with it from `suppliers`.

As supplier its record, papers, consents, offers and stock, and what contractor groups decided about it that it may
see; as contractor group its invitations, admissions, lists, evaluations and imports; as buyer its holds. The files of
papers are fetched one by one (`/suppliers/{id}/papers/{paper}/file`); their hashes are in the sheet.
"""

from shared.data_out.contents import HOUSE_LEFT_OUT, HOUSE_SHEETS, DataOut, Sheet

_OUR_LIST_OR_ABOUT_US = """
    owner_id = :company OR EXISTS (
        SELECT FROM suppliers s WHERE s.company_id = :company AND (
            s.company_id = blacklist_entries.supplier_id OR s.tax_id = blacklist_entries.tax_id
            OR s.representative_hash = blacklist_entries.representative_hash
        )
    )
"""
"""An entry is about a supplier by its id, its number or its legal representative, also one from before it came."""

DATA_OUT = DataOut(
    service="suppliers",
    sheets={
        **HOUSE_SHEETS,
        "suppliers": Sheet(owners=("company_id",), dropped=("representative_hash",)),
        "supplier_decisions": Sheet(owners=("supplier_id",)),
        "supplier_identities": Sheet(
            owners=("supplier_id",),
            people={"decided_by": "decided_by_company"},
            parties=("decided_by_company",),
            dropped=("document_hash", "representative_hash", "account_hash"),
        ),
        "supplier_applications": Sheet(
            owners=("supplier_id",), parties=("reviewer_company",), people={"reviewer_id": "reviewer_company"}
        ),
        "supplier_papers": Sheet(owners=("supplier_id",), people={"given_by": "supplier_id"}),
        "supplier_paper_checks": Sheet(
            owners=("supplier_id",), parties=("by_company",), people={"by_id": "by_company"}
        ),
        "expiry_warnings": Sheet(owners=("supplier_id",)),
        "supplier_invitations": Sheet(
            owners=("group_id", "company_id"),
            parties=("supplier_id",),
            people={"invited_by": "company_id"},
            dropped=("code_hash",),
        ),
        "supplier_invitation_files": Sheet(owners=("group_id",), people={"sent_by": "group_id"}),
        "admissions": Sheet(
            owners=("group_id", "supplier_id"),
            parties=("space_group_id", "relies_on_group_id"),
            hidden={"level": "group_id", "grade": "group_id", "evidence": "group_id"},
        ),
        "admission_history": Sheet(owners=("group_id",), parties=("supplier_id",)),
        "consents": Sheet(
            owners=("supplier_id",),
            parties=("to_id",),
            people={"recorded_by": "supplier_id", "revoked_by": "supplier_id"},
        ),
        "consent_history": Sheet(owners=("supplier_id",)),
        "blacklist_entries": Sheet(
            owners=("owner_id", "supplier_id"),
            where=_OUR_LIST_OR_ABOUT_US,
            people={"listed_by": "owner_id", "lift_asked_by": "owner_id", "lifted_by": "owner_id"},
            hidden={"listed_by": "owner_id", "lift_asked_by": "owner_id", "lifted_by": "owner_id"},
            dropped=("representative_hash",),
        ),
        "blacklist_proposals": Sheet(owners=("owner_id",), people={"asked_by": "owner_id", "decided_by": "owner_id"}),
        "blacklist_appeals": Sheet(
            owners=("owner_id", "supplier_id"),
            people={"listed_by": "owner_id", "filed_by": "supplier_id", "answered_by": "owner_id"},
        ),
        "blacklist_history": Sheet(owners=("owner_id",)),
        "evaluations": Sheet(
            owners=("group_id", "supplier_id"), people={"entered_by": "group_id"}, hidden={"source_key": "group_id"}
        ),
        "evaluation_replies": Sheet(owners=("group_id", "supplier_id"), people={"replied_by": "supplier_id"}),
        "scores": Sheet(owners=("group_id", "supplier_id")),
        "score_inputs": Sheet(
            owners=("group_id", "supplier_id"), parties=("buyer_id",), people={"excluded_by": "group_id"}
        ),
        "score_appeals": Sheet(
            owners=("group_id", "supplier_id"), people={"filed_by": "supplier_id", "answered_by": "group_id"}
        ),
        "supplier_names": Sheet(owners=("supplier_id",), dropped=("name_key", "bank_key", "source")),
        "supplier_relations": Sheet(
            owners=("group_id", "company_id"), parties=("supplier_id",), people={"ended_by": "company_id"}
        ),
        "staged_judgements": Sheet(owners=("group_id", "company_id"), parties=("supplier_id",)),
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
        "known_types": "copied from the common dictionary",
        "known_spaces": "copied from `members`, which exports it",
        "known_circles": "copied from `members`, which exports it",
        "known_links": "copied from `members`, which exports it",
        "supplier_spaces": "worked out from admissions and stages",
        "offer_reaches": "worked out from admissions and stages",
        "rekeyings": "the platform's own machinery",
        "blacklist_notices": "the short form of entries that are exported",
        "blacklist_versions": "the platform's own machinery",
        "score_notices": "the short form of scores that are exported",
        "score_due": "the platform's own machinery",
        "supplier_merges": "decided by operators about records; what they did stands in the supplier's history",
        "supplier_merge_history": "decided by operators about records",
        "known_variants": "copied from the common dictionary",
        "register_version": "the platform's own machinery",
        "sync_seen": "which rows a running sync has met; gone with it",
    },
)
