"""Naming companies on the command line: by tax id, by id, or not at all for one's own."""

from uuid import UUID

from infra.api import Api
from infra.commands.console import Unusable


def own_company(api: Api) -> str:
    """The company the caller acts for.

    Raises:
        Unusable: for none.
    """
    company = api.get("/members/me").body.get("company")
    if not company:
        raise Unusable("You act for no company; name one.")
    return str(company["id"])


def company_named(api: Api, name: str | None) -> str:
    """The id of the company with that id or tax id; the caller's own when none is named.

    Raises:
        Unusable: no company has the tax id.
    """
    if name is None:
        return own_company(api)
    try:
        return str(UUID(name))
    except ValueError:
        found = api.get("/members/companies", tax_id=name).body
    if not found:
        raise Unusable(f"No company has the tax id {name}.")
    return str(found[0]["id"])
