"""Taking a company in as supplier, as an operator does it: by the API, step by step, each harmless to repeat."""

from datetime import date
from typing import Any
from uuid import uuid4

from infra.api import Api, Refused


def register_company(api: Api, *, tax_id: str, name: str, kind: str) -> str:
    """The id of the company of that tax id, registered now if need be."""
    found = api.get("/members/companies", tax_id=tax_id).body
    if found:
        return str(found[0]["id"])
    body = {"tax_id": {"value": tax_id}, "name_zh": name, "kinds": [kind]}
    return str(api.post("/members/companies", body, key=f"company/{tax_id}").body["id"])


def register_supplier(api: Api, *, company_id: str) -> dict[str, Any]:
    """The supplier's record, made now if need be."""
    known = _record(api, company_id)
    if known is None:
        api.post("/suppliers", {"company_id": company_id}, key=f"supplier/{company_id}")
        known = _record(api, company_id)
    assert known is not None  # noqa: S101 - it was just made
    return known


def qualify_supplier(
    api: Api, *, company_id: str, categories: list[str], regions: list[str], until: date | None
) -> dict[str, Any]:
    """Make it QUALIFIED for exactly these categories and regions; nothing happens when it is."""
    known = register_supplier(api, company_id=company_id)
    last_day = until.isoformat() if until else None
    same = (sorted(known["categories"]), sorted(known["regions"]), known["qualified_until"])
    if known["status"] == "QUALIFIED" and same == (sorted(categories), sorted(regions), last_day):
        return known
    answer = api.post(
        f"/suppliers/{company_id}/qualification",
        {"categories": categories, "regions": regions, "until": last_day},
        key=f"qualify/{company_id}/{known['version']}",
        version=f'"{known["version"]}"',
    )
    qualified: dict[str, Any] = answer.body
    return qualified


def admit_supplier(
    api: Api, *, group_id: str, supplier_id: str, categories: list[str], reason: str
) -> list[dict[str, Any]]:
    """Let a contractor group buy from a supplier in these categories; nothing happens where it does already."""
    known = api.pages("/suppliers/admissions", group_id=group_id, supplier_id=supplier_id, status="ADMITTED", limit=200)
    missing = sorted(set(categories) - {each["category"] for each in known})
    if not missing:
        return []
    body = {"group_id": group_id, "categories": missing, "reason": reason}
    admitted: list[dict[str, Any]] = api.post(f"/suppliers/{supplier_id}/admissions", body, key=str(uuid4())).body
    return admitted


def _record(api: Api, company_id: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = api.get(f"/suppliers/{company_id}").body
    except Refused as problem:
        if problem.code != "SupplierNotFound":
            raise
        return None
    return found
