"""HTTP of search and match."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.search import comparing, finding, matching, presenting, suggesting
from services.catalog.search.comparing import COMPARE_REFUSALS
from services.catalog.search.finding import SEARCH_REFUSALS, QuantityWithoutUnit, UnknownUnit, Wish
from services.catalog.search.ranking import Sort
from services.catalog.search.schemas import (
    Code,
    CompareAnswer,
    MatchAnswer,
    MatchRequest,
    SearchAnswer,
    SearchText,
    SuggestAnswer,
)
from shared.clock import business_date
from shared.contracts.fields import CalendarDate, Currency, Name, QuantityText, RegionCode
from shared.contracts.suppliers import CertificateKind
from shared.database import ReadSession
from shared.errors import FieldError, Unprocessable, refusals
from shared.http import MalformedRequest, Now
from shared.http import router as house_router
from shared.idempotency import EXEMPT
from shared.identity import Caller, Principal, Visitor
from shared.paging import CursorInvalid, PageQuery, Paging

router = house_router("/catalog", tag="search")

_FACET = "p."
_FACETS_AT_MOST = 20
_COUNTED_AT_MOST = 8


class UnknownFilter(Unprocessable):
    """The search has no such parameter; property facets are written `p.diameter=20`."""


class TooManyFacets(Unprocessable):
    """At most 20 facet values in one search, and counts of at most 8 facets."""


_FILTERS = frozenset(
    {
        "q", "type", "category", "code", "supplier", "region", "quantity", "unit", "need_by", "in_stock",
        "carbon_at_most", "certificate", "currency", "sort", "offers", "facets", "explain", "limit", "cursor",
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
        detail = f"At most {_FACETS_AT_MOST} facet values in one search."
        raise TooManyFacets(detail, errors=[FieldError(field="p.*", rule="TooManyFacets", message=detail)])
    return facets


Facets = Annotated[Mapping[str, Sequence[str]], Depends(_facets)]

_FACETS_EXPLAINED = {
    "parameters": [
        {
            "name": "p.{property}",
            "in": "query",
            "required": False,
            "description": "A property facet, `p.diameter=20` or `p.diameter=16..25`; repeated, any of the values.",
            "schema": {"type": "string"},
            "examples": {"diameter": {"summary": "p.diameter", "value": "20"}},
        }
    ]
}


@router.get(
    "/search",
    summary="Search what is offered",
    response_model=SearchAnswer,
    responses=refusals(MalformedRequest, *SEARCH_REFUSALS, UnknownFilter, TooManyFacets, CursorInvalid),
    openapi_extra=_FACETS_EXPLAINED,
)
async def search(
    *,
    caller: Visitor,
    session: ReadSession,
    now: Now,
    paging: PageQuery,
    properties: Facets,
    q: Annotated[
        SearchText, Query(description="Words, specifications, codes or a variant key.", examples=["HRB400E Φ20 螺纹"])
    ] = "",
    type: Annotated[Name | None, Query(examples=["RB-HRB"])] = None,  # noqa: A002
    category: Annotated[Name | None, Query(examples=["rebar"])] = None,
    code: Annotated[Name | None, Query(description="A code of any system.", examples=["IfcReinforcingBar"])] = None,
    supplier: Annotated[UUID | None, Query()] = None,
    region: Annotated[RegionCode | None, Query(description="Delivered there (GB/T 2260), freight included.")] = None,
    quantity: Annotated[QuantityText | None, Query(description="Picks the price tier; with `unit`.")] = None,
    unit: Annotated[Name | None, Query(examples=["吨"])] = None,
    need_by: Annotated[CalendarDate | None, Query(description="Only what can be there by then.")] = None,
    in_stock: Annotated[bool, Query(description="Only from stock; with a quantity, enough of it.")] = False,
    carbon_at_most: Annotated[
        QuantityText | None, Query(description="kgCO2e per base unit; what is not known is left out.")
    ] = None,
    certificate: Annotated[
        list[CertificateKind],
        Query(max_length=6, description="Only offers with it, valid today; repeated, all of them."),
    ] = [],  # noqa: B006
    currency: Annotated[Currency, Query(description="Prices in it are compared.")] = "CNY",
    sort: Annotated[Sort, Query(description="`price` is the landed price for the quantity and region.")] = "relevance",
    offers: Annotated[int, Query(ge=0, le=50, description="Offers shown per variant, the best first.")] = 5,
    facets: Annotated[
        str,
        Query(
            max_length=400,
            pattern=r"^[^\x00-\x1f\x7f]*$",
            description="Count these among all hits.",
            examples=["diameter,grade,supplier,type"],
        ),
    ] = "",
    explain: Annotated[bool, Query(description="Say why each hit stands where it does.")] = False,
) -> Response:
    """Variants that the caller is offered, nearest to the words first, then by price; or by price, lead time, carbon.

    Chinese, English and both mixed. An offer is shown to whom its supplier means it for, while it is valid and its
    supplier is qualified; a variant nobody offers to the caller is not shown, counted or ranked by. Words that mean
    nothing are taken for the nearest ones that do, which is said. Nobody can pay for a place. The next page is in the
    Link header.
    """
    wish = Wish(
        q=q,
        type_code=type,
        category=category,
        code=code,
        facets=properties,
        supplier_id=supplier,
        region=region,
        quantity=quantity,
        unit=unit,
        need_by=need_by,
        in_stock=in_stock,
        carbon_at_most=carbon_at_most,
        certificates=certificate,
        currency=currency,
        sort=sort,
        offers_shown=offers,
    )
    return await _page(
        session, wish, caller=caller, paging=paging, counted=_names(facets), explain=explain, today=business_date(now)
    )


async def _page(
    session: AsyncSession,
    wish: Wish,
    *,
    caller: Principal | None,
    paging: Paging,
    counted: Sequence[str],
    explain: bool,
    today: date,
) -> Response:
    """The answer, encoded once: a model of it, made and read again, costs more than the search."""
    found = await finding.find(
        session,
        wish=wish,
        caller=caller,
        limit=paging.limit,
        after=paging.after,
        today=today,
        best=presenting.BEST[wish.sort],
    )
    answer = await presenting.answer(
        session, found=found, wish=wish, limit=paging.limit, facets=counted, explain=explain, today=today
    )
    response = Response(orjson.dumps(answer, option=orjson.OPT_UTC_Z), media_type="application/json")
    paging.page(found.page.rows, response, key=found.key_of)
    return response


def _names(facets: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in facets.split(",") if name.strip()))
    if len(names) > _COUNTED_AT_MOST:
        error = FieldError(field="facets", rule="TooManyFacets", message=f"{len(names)} facets")
        raise TooManyFacets(f"At most {_COUNTED_AT_MOST} facets are counted in one search.", errors=[error])
    return names


@router.get("/suggest", summary="Suggest while somebody types", responses=refusals(MalformedRequest))
async def suggest(
    caller: Visitor,
    session: ReadSession,
    now: Now,
    q: Annotated[SearchText, Query(description="What was typed so far.", examples=["螺纹 2"])],
    limit: Annotated[int, Query(ge=1, le=30)] = 10,
) -> SuggestAnswer:
    """Types and codes by the beginnings of their words, and variants that the caller is offered."""
    return await suggesting.suggest(session, q=q, caller=caller, limit=limit, today=business_date(now))


@router.get(
    "/compare",
    summary="Compare variants and offers side by side",
    responses=refusals(MalformedRequest, *COMPARE_REFUSALS, UnknownUnit, QuantityWithoutUnit),
)
async def compare(
    *,
    caller: Visitor,
    session: ReadSession,
    now: Now,
    variant: Annotated[
        list[Code],
        Query(max_length=10, description="Variant keys.", examples=[["RB-HRB|diameter=20,grade=HRB400E,length=12"]]),
    ] = [],  # noqa: B006
    offer: Annotated[list[UUID], Query(max_length=10, description="Offers.")] = [],  # noqa: B006
    region: Annotated[RegionCode | None, Query(description="Delivered there, freight included.")] = None,
    quantity: Annotated[QuantityText | None, Query(description="Picks the price tier; with `unit`.")] = None,
    unit: Annotated[Name | None, Query(examples=["吨"])] = None,
    currency: Annotated[Currency, Query(description="Prices in it are compared.")] = "CNY",
) -> CompareAnswer:
    """Up to ten: properties with their differences marked, landed price per base unit with tax, lead time, carbon with
    its source, certificates. A variant stands with its best offer that the caller may see, or with none."""
    wish = Wish(facets={}, region=region, quantity=quantity, unit=unit, currency=currency)
    return await comparing.compare(
        session, keys=variant, offer_ids=offer, wish=wish, caller=caller, today=business_date(now)
    )


@router.post("/match", summary="Match a material list", openapi_extra=EXEMPT)
async def match(body: MatchRequest, caller: Caller, session: ReadSession, now: Now) -> MatchAnswer:
    """For each line the variants that may be meant, with scores and reasons, and the caller's offers that fit.

    Lines are read in Chinese and English, by code, words and properties. Nothing is guessed: what a line leaves
    open is told as missing. It changes nothing and needs no Idempotency-Key.
    """
    return await matching.match(session, asked=body, caller=caller, today=business_date(now))
