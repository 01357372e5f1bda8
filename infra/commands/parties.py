"""Companies on the command line: named by tax id, by id, or not at all for one's own, and shown by name."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from infra.api import Api
from infra.commands.console import Unusable

_IDENTITIES = "/members/companies/identities"
_AT_ONCE = 100
"""Ids in one question."""


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
        found = api.get(_IDENTITIES, tax_id=name).body
    if not found:
        raise Unusable(f"No company has the tax id {name}.")
    return str(found[0]["id"])


def names_of(api: Api, ids: Iterable[str | None]) -> Mapping[str | None, str]:
    """The names of these companies, for tables; None and an id that nobody has are shown as they are."""
    wanted = sorted({each for each in ids if each is not None})
    names: dict[str | None, str] = {each: each for each in wanted} | {None: ""}
    for start in range(0, len(wanted), _AT_ONCE):
        for company in api.get(_IDENTITIES, id=wanted[start : start + _AT_ONCE]).body:
            names[company["id"]] = company["name"]
    return names
