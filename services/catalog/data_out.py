"""What a company takes with it from `catalog`: its codes and what they mean, its imports, its equivalents."""

from shared.data_out.contents import HOUSE_LEFT_OUT, HOUSE_SHEETS, DataOut, Sheet

_SHARED = "the common dictionary and registers, which everyone reads"
_BENCH = "work of the platform's own staff on the common dictionary"
_INDEX = "copied from what suppliers export themselves"
_LISTS = "copied from the blacklists, which their owners export from `suppliers`"

DATA_OUT = DataOut(
    service="catalog",
    sheets={
        **HOUSE_SHEETS,
        "code_mappings": Sheet(owners=("company_id",)),
        "mapping_jobs": Sheet(
            owners=("company_id",),
            people={"uploaded_by": None, "approved_by": None},
            dropped=("file", "lease_id", "lease_until", "attempts"),
        ),
        "mapping_rows": Sheet(owners=("company_id",), people={"imported_by": None, "decided_by": None}),
        "mapping_row_errors": Sheet(owners=("company_id",)),
        "mapping_history": Sheet(owners=("company_id",), people={"who": None}),
        "equivalents": Sheet(
            owners=("company_id",),
            people={"proposed_by": None, "decided_by": None, "withdrawn_by": None},
            dropped=("audience_keys",),
        ),
    },
    left_out={
        **HOUSE_LEFT_OUT,
        "register_states": "the platform's own machinery",
        **dict.fromkeys(("search_offers", "search_stock", "search_suppliers", "search_variants"), _INDEX),
        **dict.fromkeys(("search_blacklists", "search_blacklisted"), _LISTS),
        **dict.fromkeys(
            (
                "carbon_factors",
                "categories",
                "classification_codes",
                "code_systems",
                "component_type_versions",
                "component_types",
                "dictionary_changes",
                "dictionary_versions",
                "reference_class_properties",
                "reference_class_relations",
                "reference_classes",
                "reference_dictionaries",
                "reference_links",
                "reference_properties",
                "restrictions",
                "standard_editions",
                "standards",
                "type_standards",
                "units",
                "variants",
            ),
            _SHARED,
        ),
        **dict.fromkeys(
            (
                "classification_code_events",
                "dictionary_upload_problems",
                "dictionary_uploads",
                "register_decisions",
                "type_proposal_events",
                "type_proposals",
            ),
            _BENCH,
        ),
    },
)
