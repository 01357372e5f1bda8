"""HTTP of IFC's property sets."""

import asyncio
from typing import Annotated

from fastapi import Path, Query, Request

from services.catalog.classification import queries as code_queries
from services.catalog.classification.rules import CodeSystem
from services.catalog.ifc.rules import Edition, parted
from services.catalog.ifc.schemas import PropertySetsView, PropertySetView
from services.catalog.ifc.templates import TemplatesNotInstalledError, TemplateSource, UnknownEntityError
from shared.database import ReadSession
from shared.errors import NotFound, Refusal, refusals
from shared.http import MalformedRequest
from shared.http import router as house_router
from shared.identity import Visitor

router = house_router("/catalog/types", tag="components")


class PropertySetsNotInstalled(Refusal):
    """This installation does not read IFC: install the extra `bim` (`pip install 'dougong[bim]'`) and restart."""

    status = 501
    title = "Not installed here"


class NoIfcClass(NotFound):
    """There is no such type, or it has no IFC class in this edition."""


@router.get(
    "/{code}/property-sets",
    summary="Property sets of IFC that apply to a component type",
    responses=refusals(MalformedRequest, NoIfcClass, PropertySetsNotInstalled),
)
async def property_sets(
    request: Request,
    code: Annotated[str, Path(max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["PC-SLAB"])],
    _: Visitor,
    session: ReadSession,
    edition: Annotated[Edition, Query()] = Edition.IFC4X3,
) -> PropertySetsView:
    """Pset_… and Qto_… templates of its IFC class, with their properties, measures and allowed values.

    Read from the `ifcopenshell` wheel of the optional extra `bim`; nothing of it is kept here.
    """
    codes = await code_queries.codes_of_types(session, type_codes=[code.upper()])
    own = [each for each in codes if each.system == CodeSystem.IFC and each.edition in {"", edition}]
    if not own:
        raise NoIfcClass(f"{code[:60]!r} is no component type with a class in {edition}.")
    entity, predefined = parted(own[0].code)
    templates: TemplateSource = request.app.state.property_sets
    try:
        found = await asyncio.to_thread(templates.sets, edition=edition, entity=entity, predefined=predefined)
    except TemplatesNotInstalledError:
        raise PropertySetsNotInstalled(
            "Property sets are read from the optional extra `bim`: pip install 'dougong[bim]', then restart."
        ) from None
    except UnknownEntityError:
        raise NoIfcClass(f"{edition} has no entity {entity}.") from None
    return PropertySetsView(
        type_code=own[0].type_code,
        edition=edition,
        entity=entity,
        predefined_type=predefined or None,
        source=templates.source(),
        sets=[PropertySetView.model_validate(each) for each in found],
    )
