"""May goods be listed, as the registers stand: an edition that is withdrawn or unknown, a type that is banned or
deprecated.

An edition is unknown when the register knows its number under other years only: that is a slip of the pen. A number
the register does not know at all (an enterprise standard, a foreign one) is taken as it is.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.offers.declared import goods_of
from services.suppliers.offers.tables import KnownVariant
from services.suppliers.register import queries
from services.suppliers.register.rules import Finding, RegisterCode, against_listing
from shared.designations import edition_key, parted
from shared.errors import Conflict, FieldError


class StandardWithdrawn(Conflict):
    """The edition is withdrawn; `errors` quotes the register with its successor."""


class UnknownEdition(Conflict):
    """The register knows this standard under other editions only; `errors` names them."""


class ItemRestricted(Conflict):
    """The goods are banned where they would be offered; `errors` quotes the entry."""


class TypeDeprecated(Conflict):
    """The dictionary took the type of these goods out of use; `errors` quotes it with the successor."""


REGISTER_REFUSALS = (StandardWithdrawn, UnknownEdition, ItemRestricted, TypeDeprecated)

FIELD_AT_FAULT: Mapping[RegisterCode, str] = {
    RegisterCode.STANDARD_WITHDRAWN: "standard",
    RegisterCode.ITEM_RESTRICTED: "item_no",
    RegisterCode.TYPE_DEPRECATED: "variant",
}
"""In a request as in a row of a file."""

_REFUSED_AS: Mapping[RegisterCode, type[Conflict]] = {
    RegisterCode.STANDARD_WITHDRAWN: StandardWithdrawn,
    RegisterCode.ITEM_RESTRICTED: ItemRestricted,
    RegisterCode.TYPE_DEPRECATED: TypeDeprecated,
}


async def unknown_editions(session: AsyncSession, *, standards: Collection[str]) -> Mapping[str, str]:
    """Those of the stated editions that the register knows under other years only, with the sentence that says so."""
    numbers = {each: edition_key(parted(each)[0]) for each in standards}
    known = await queries.editions_of_numbers(session, number_keys=sorted(set(numbers.values())))
    found = {}
    for each, number_key in numbers.items():
        editions = known.get(number_key, ())
        if editions and edition_key(each) not in {edition_key(edition) for edition in editions}:
            found[each] = f"The register knows no edition {each}; it knows {', '.join(editions[:10])}."
    return found


async def check_listing(
    session: AsyncSession, *, variant: KnownVariant, standard: str | None, regions: Sequence[str], on: date
) -> None:
    """Let goods be listed only when no register speaks against it.

    Raises:
        UnknownEdition, StandardWithdrawn, ItemRestricted, TypeDeprecated.
    """
    if standard is not None:
        for message in (await unknown_editions(session, standards=[standard])).values():
            raise UnknownEdition(message, errors=[FieldError(field="standard", rule="UnknownEdition", message=message)])
    register = await queries.register_now(session)
    goods = goods_of(standard, variant.type_code, variant.snapshot)
    found = against_listing(register, goods=goods, regions=regions, on=on)
    if found:
        raise _refusal(found)


def _refusal(found: Sequence[Finding]) -> Conflict:
    errors = [FieldError(field=FIELD_AT_FAULT[each.code], rule=each.code, message=each.detail) for each in found]
    return _REFUSED_AS[found[0].code](found[0].detail, errors=errors)
