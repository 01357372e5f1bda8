"""HTTP of categories and component types."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.carbon import queries as carbon_queries
from services.catalog.carbon.schemas import CarbonView
from services.catalog.classification import queries as code_queries
from services.catalog.classification.schemas import CodeView
from services.catalog.components import queries
from services.catalog.components.schemas import (
    CategoryView,
    PropertyView,
    RelationView,
    StandardView,
    TypeSummary,
    TypeUnitView,
    TypeView,
)
from services.catalog.components.tables import ComponentType, ComponentTypeVersion, Standard
from shared.contracts.fields import Name
from shared.database import ReadSession
from shared.errors import NotFound, Unprocessable, refusals
from shared.http import MalformedRequest
from shared.http import router as house_router
from shared.identity import Visitor
from shared.paging import CursorInvalid, PageQuery

router = house_router("/catalog", tag="components")


class TypeNotFound(NotFound):
    """No component type has this code, or it has no such version."""


class UnknownCategory(Unprocessable):
    """There is no such category; GET /catalog/categories lists them."""


def _summary(row: ComponentType, definition: dict[str, Any]) -> dict[str, Any]:
    return {
        "code": row.code,
        "version": row.version,
        "status": row.status,
        "category": definition["category"],
        "name_zh": definition["name_zh"],
        "name_en": definition["name_en"],
        "supply_mode": definition["supply_mode"],
        "base_unit": definition["base_uom"],
        "identity": [each["key"] for each in definition["properties"] if each["identity"]],
    }


@router.get("/categories", summary="Categories of component types")
async def categories(_: Visitor, session: ReadSession) -> list[CategoryView]:
    """All categories in the taxonomy's order."""
    return [CategoryView.model_validate(row) for row in await queries.categories(session)]


@router.get("/types", summary="Component types", responses=refusals(MalformedRequest, UnknownCategory, CursorInvalid))
async def types(
    _: Visitor,
    session: ReadSession,
    paging: PageQuery,
    response: Response,
    *,
    category: Annotated[Name | None, Query(examples=["rebar"])] = None,
    supply_mode: Annotated[Literal["stock", "make_to_order", "engineer_to_order", "rental"] | None, Query()] = None,
    name: Annotated[Name | None, Query(description="Part of a Chinese or English name.", examples=["钢筋"])] = None,
    code: Annotated[
        Name | None, Query(description="A code of any system that finds the type.", examples=["IfcSlab.FLOOR"])
    ] = None,
    deprecated: Annotated[bool, Query(description="Also those that were withdrawn.")] = False,
) -> list[TypeSummary]:
    """The types that fit every filter given, by code."""
    if category is not None and category not in {each.key for each in await queries.categories(session)}:
        raise UnknownCategory(f"There is no category {category!r}.")
    codes = None
    if code is not None:
        codes = [row.type_code for row in await code_queries.codes_matching(session, code=code)]
    rows = await queries.types_page(
        session,
        category=category,
        supply_mode=supply_mode,
        name=name,
        codes=codes,
        deprecated=deprecated,
        limit=paging.limit,
        after=str(paging.after[0]) if paging.after else None,
    )
    shown = paging.page(rows, response, key=lambda row: [row.code])
    return [TypeSummary(**_summary(row, row.definition)) for row in shown]


@router.get("/types/{code}", summary="One component type", responses=refusals(TypeNotFound))
async def component_type(
    code: str,
    _: Visitor,
    session: ReadSession,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="An older version.")] = None,
) -> TypeView:
    """Its properties with their allowed values, units, standards with editions, codes, carbon and hints.

    An older version shows its properties and units as they were; codes and carbon are those of today.
    """
    row = await queries.type_by_code(session, code=code.upper()) if code.isprintable() else None
    if row is None:
        raise TypeNotFound(f"No component type has the code {code[:60]!r}.")
    shown: ComponentType | ComponentTypeVersion | None = row
    if version is not None:
        shown = await queries.type_version(session, code=row.code, version=version)
    if shown is None:
        raise TypeNotFound(f"{row.code} has no version {version}.")
    return await _view(session, row, shown)


def _standard(row: Standard, gone: Row[Any] | None) -> StandardView:
    view = StandardView.model_validate(row)
    return (
        view
        if gone is None
        else view.model_copy(update={"withdrawn_on": gone.withdrawn_on, "replaced_by": gone.replaced_by})
    )


async def _view(session: AsyncSession, row: ComponentType, shown: ComponentType | ComponentTypeVersion) -> TypeView:
    definition = shown.definition
    numbers = [each["number"] for each in definition["standards"]]
    standards = await queries.standards_of(session, numbers=numbers)
    gone = await queries.withdrawals_of(session, numbers=numbers)
    carbon = (await carbon_queries.factors_of_types(session, type_codes=[row.code])).get(row.code)
    codes = await code_queries.codes_of_types(session, type_codes=[row.code])
    receipt = definition.get("receipt") or {}
    lead = definition.get("lead_time_days")
    return TypeView(
        **{**_summary(row, definition), "version": shown.version},
        published_at=shown.published_at,
        content_hash=shown.content_hash,
        successor=row.successor,
        deprecation_reason=row.deprecation_reason,
        definition_zh=definition.get("definition_zh"),
        definition_en=definition.get("definition_en"),
        synonyms=definition.get("synonyms") or [],
        relations=[RelationView(**each) for each in definition.get("relations") or ()],
        properties=_properties(definition["properties"]),
        units=[_unit(each) for each in definition["alt_uoms"]],
        standards=[_standard(standards[number], gone.get(number)) for number in numbers],
        codes=[CodeView.model_validate(each) for each in codes],
        carbon=None if carbon is None else CarbonView.model_validate(carbon),
        identity_level=definition.get("identity_level", "none"),
        lead_time_days={key: int(days) for key, days in lead.items()} if lead else None,
        receipt_documents=receipt.get("documents", []),
        lot_rule=receipt.get("lot_rule"),
        settlement_basis=definition.get("settlement_basis"),
        vat=definition.get("vat"),
        perishable=definition.get("perishable"),
        notes=definition.get("notes"),
        confidence=definition.get("confidence"),
    )


def _properties(entries: Sequence[dict[str, Any]]) -> list[PropertyView]:
    return [
        PropertyView(
            key=each["key"],
            name_zh=each["name_zh"],
            name_en=each["name_en"],
            kind=each["type"],
            unit=each.get("unit"),
            allowed=each.get("allowed"),
            minimum=each.get("min"),
            maximum=each.get("max"),
            identity=each["identity"],
            required=each["required"],
            definition_zh=each.get("definition_zh"),
            definition_en=each.get("definition_en"),
            property_set=each.get("property_set"),
            retired=each.get("retired") or {},
            deprecated=each.get("deprecated"),
        )
        for each in entries
    ]


def _unit(entry: dict[str, Any]) -> TypeUnitView:
    return TypeUnitView(
        unit=entry["uom"],
        base_per_unit=entry.get("base_per_unit"),
        formula=entry.get("formula"),
        only=entry.get("only", {}),
        note=entry.get("note"),
    )
