"""HTTP of search and match."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from services.catalog.search import finding, matching
from services.catalog.search.finding import SEARCH_REFUSALS, Wish
from services.catalog.search.schemas import MatchAnswer, MatchRequest, SearchAnswer, SearchText
from shared.clock import business_date
from shared.contracts.fields import Currency, Name, QuantityText, RegionCode
from shared.database import ReadSession
from shared.errors import FieldError, Unprocessable, refusals
from shared.http import MalformedRequest, Now
from shared.http import router as house_router
from shared.idempotency import EXEMPT
from shared.identity import Caller, Visitor
from shared.paging import CursorInvalid, PageQuery

router = house_router("/catalog", tag="search")

_FACET = "p."
_FACETS_AT_MOST = 20


class UnknownFilter(Unprocessable):
    """The search has no such parameter; property facets are written `p.diameter=20`."""


class TooManyFacets(Unprocessable):
    """At most 20 facet values in one search."""


_FILTERS = frozenset(
    {
        "q", "type", "category", "code", "supplier", "region", "quantity", "unit", "in_stock", "currency", "offers",
        "limit", "cursor",
    }
)  # fmt: skip


async def _facets(request: Request) -> Mapping[str, Sequence[str]]:
    """The `p.*` parameters; anything else that is no parameter of the search is refused, not passed over."""
    facets: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        if name.startswith(_FACET) and len(name) > len(_FACET):
            facets.setdefault(name.removeprefix(_FACET), []).append(value)
        elif name not in _FILTERS:
            error = FieldError(field=name[:60], rule="UnknownFilter", message="no such parameter")
            detail = (
                f"The search has no parameter {name[:60]!r}; it takes {', '.join(sorted(_FILTERS))} and p.<property>."
            )
            raise UnknownFilter(detail, errors=[error])
    if sum(len(values) for values in facets.values()) > _FACETS_AT_MOST:
        raise TooManyFacets(f"At most {_FACETS_AT_MOST} facet values in one search.")
    return facets


Facets = Annotated[Mapping[str, Sequence[str]], Depends(_facets)]

_FACETS_EXPLAINED = {
    "parameters": [
        {
            "name": "p.{property}",
            "in": "query",
            "required": False,
            "description": "A property facet, e.g. `p.diameter=20`; repeated, any of the values.",
            "schema": {"type": "string"},
            "examples": {"diameter": {"summary": "p.diameter", "value": "20"}},
        }
    ]
}


@router.get(
    "/search",
    summary="Search what is offered",
    responses=refusals(MalformedRequest, *SEARCH_REFUSALS, UnknownFilter, TooManyFacets, CursorInvalid),
    openapi_extra=_FACETS_EXPLAINED,
)
async def search(
    *,
    caller: Visitor,
    session: ReadSession,
    now: Now,
    paging: PageQuery,
    response: Response,
    facets: Facets,
    q: Annotated[
        SearchText, Query(description="Words, specifications, codes or a variant key.", examples=["HRB400E Φ20 螺纹"])
    ] = "",
    type: Annotated[Name | None, Query(examples=["RB-HRB"])] = None,  # noqa: A002
    category: Annotated[Name | None, Query(examples=["rebar"])] = None,
    code: Annotated[Name | None, Query(description="A code of any system.", examples=["IfcReinforcingBar"])] = None,
    supplier: Annotated[UUID | None, Query()] = None,
    region: Annotated[RegionCode | None, Query(description="Delivered there (GB/T 2260).")] = None,
    quantity: Annotated[QuantityText | None, Query(description="Picks the price tier; with `unit`.")] = None,
    unit: Annotated[Name | None, Query(examples=["吨"])] = None,
    in_stock: Annotated[bool, Query(description="Only from stock; with a quantity, enough of it.")] = False,
    currency: Annotated[Currency, Query(description="Prices in it are compared.")] = "CNY",
    offers: Annotated[int, Query(ge=0, le=50, description="Offers shown per variant, the cheapest first.")] = 5,
) -> SearchAnswer:
    """Variants that the caller is offered, nearest to the words first, then by price.

    Chinese, English and both mixed. An offer is shown to whom its supplier means it for, while it is valid and its
    supplier is qualified; a variant nobody offers to the caller is not shown. The next page is in the Link header.
    """
    wish = Wish(
        q=q,
        type_code=type,
        category=category,
        code=code,
        facets=facets,
        supplier_id=supplier,
        region=region,
        quantity=quantity,
        unit=unit,
        in_stock=in_stock,
        currency=currency,
        offers_shown=offers,
    )
    found = await finding.search(
        session,
        wish=wish,
        caller=caller,
        limit=paging.limit,
        after=paging.after,
        today=business_date(now),
    )
    paging.page(found.keys, response, key=list)
    return found.answer


@router.post("/match", summary="Match a material list", openapi_extra=EXEMPT)
async def match(body: MatchRequest, caller: Caller, session: ReadSession, now: Now) -> MatchAnswer:
    """For each line the variants that may be meant, with scores and reasons, and the caller's offers that fit.

    Lines are read in Chinese and English, by code, words and properties. Nothing is guessed: what a line leaves
    open is told as missing. It changes nothing and needs no Idempotency-Key.
    """
    return await matching.match(session, asked=body, caller=caller, today=business_date(now))
