"""The buyer's own material codes on basket lines: each must mean what is ordered, by a mapping that then stays.

`catalog` is asked before goods are held, and told before the order is written: from then on the mapping cannot be
rolled back (domain.md 3.3, "reversible until used"). If the order is not written after all, it merely stays usable.
A basket without codes asks nobody.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol
from uuid import UUID

from shared.clients.transport import ServiceAway, ServiceRefused, ServiceUnknown
from shared.contracts.catalog import CodeMeaning
from shared.contracts.orders import BasketLine
from shared.contracts.reservations import ReservedLinePlain
from shared.errors import FieldError, Unavailable, Unprocessable
from shared.identity import Principal


class CodesNotMeant(Unprocessable):
    """A code has no published mapping, or means something else than the offer; `errors` names the lines."""


class CatalogAway(Unavailable):
    """`catalog` did not say what the codes mean. Repeat with the same Idempotency-Key."""


class CodeMeanings(Protocol):
    """What codes mean; `shared.clients.catalog.CatalogClient`, or a fake."""

    async def meanings(
        self, *, company_id: UUID, group_id: UUID | None, codes: Sequence[str]
    ) -> dict[str, list[CodeMeaning]]:
        """Raises ServiceUnknown, ServiceAway."""
        ...

    async def mark_used(self, *, company_id: UUID, mapping_ids: Sequence[UUID]) -> None:
        """Raises ServiceRefused, ServiceUnknown, ServiceAway."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderedCode:
    """The code a line was ordered by, and the version of its mapping that said so."""

    line_no: int
    code: str
    mapping_id: UUID
    mapping_version: int


async def meanings_of(
    catalog: CodeMeanings, lines: Sequence[BasketLine], *, caller: Principal
) -> Mapping[str, Sequence[CodeMeaning]]:
    """What the codes of a basket mean to the buyer today.

    Raises:
        CodesNotMeant, CatalogAway.
    """
    codes = sorted({line.enterprise_code for line in lines if line.enterprise_code})
    if not codes:
        return {}
    try:
        found = await catalog.meanings(company_id=caller.company, group_id=caller.group_id, codes=codes)
    except (ServiceAway, ServiceUnknown, ServiceRefused) as error:
        _away(error)
    _refuse(
        [
            FieldError(
                field=f"lines.{place}.enterprise_code",
                rule="CodeNotMapped",
                message=f"{line.enterprise_code} has no published mapping that holds today.",
            )
            for place, line in enumerate(lines)
            if line.enterprise_code and line.enterprise_code not in found
        ]
    )
    return found


def ordered_codes(
    lines: Sequence[BasketLine],
    held: Sequence[ReservedLinePlain],
    *,
    meanings: Mapping[str, Sequence[CodeMeaning]],
) -> list[OrderedCode]:
    """Each code with the mapping by which it means what is held. A code of several variants may name any of them.

    Raises:
        CodesNotMeant: see the class.
    """
    found, errors = [], []
    for reserved in held:
        code = lines[reserved["line_no"] - 1].enterprise_code
        if not code:
            continue
        meant = next((each for each in meanings[code] if str(each.variant_id) == reserved["variant_id"]), None)
        if meant is not None:
            found.append(
                OrderedCode(
                    line_no=reserved["line_no"], code=code, mapping_id=meant.mapping_id, mapping_version=meant.version
                )
            )
            continue
        means = ", ".join(sorted({each.variant_key for each in meanings[code]}))
        errors.append(
            FieldError(
                field=f"lines.{reserved['line_no'] - 1}.enterprise_code",
                rule="CodeMeansAnother",
                message=f"{code} means {means}; the offer is of {reserved['variant_key']}.",
            )
        )
    _refuse(errors)
    return found


async def mark_used(
    catalog: CodeMeanings, used: Collection[OrderedCode], *, meanings: Mapping[str, Sequence[CodeMeaning]]
) -> None:
    """Tell `catalog` that an order goes by these mappings. Harmless to repeat.

    Raises:
        CodesNotMeant: one was rolled back a moment ago.
        CatalogAway: see the class.
    """
    owners = {each.mapping_id: each.company_id for means in meanings.values() for each in means}
    by_owner: dict[UUID, set[UUID]] = defaultdict(set)
    for each in used:
        by_owner[owners[each.mapping_id]].add(each.mapping_id)
    for owner, ids in sorted(by_owner.items()):
        try:
            await catalog.mark_used(company_id=owner, mapping_ids=sorted(ids))
        except ServiceRefused as error:
            raise CodesNotMeant("A mapping was taken back a moment ago; look at what the codes mean now.") from error
        except (ServiceAway, ServiceUnknown) as error:
            _away(error)


def _refuse(errors: Sequence[FieldError]) -> None:
    if errors:
        raise CodesNotMeant(f"{errors[0].field}: {errors[0].message}", errors=errors)


def _away(error: Exception) -> NoReturn:
    raise CatalogAway(
        "catalog did not say what the codes mean; nothing was ordered. Repeat with the same key.",
        headers={"Retry-After": "2"},
    ) from error
