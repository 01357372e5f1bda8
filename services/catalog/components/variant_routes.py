"""HTTP of variants and of conversion between their units."""

from typing import Annotated

from fastapi import Path, Response

from services.catalog.components import variant_actions
from services.catalog.components.conversions import CONVERSION_REFUSALS, converted
from services.catalog.components.schemas import Conversion, ConvertRequest, VariantRequest
from services.catalog.components.variant_actions import VARIANT_REFUSALS, VariantNotFound
from shared.contracts.catalog import (
    ResolveAnswer,
    ResolveRequest,
    VariantReference,
    VariantSnapshot,
)
from shared.database import ReadSession, WriteSession
from shared.errors import refusals
from shared.http import MalformedRequest, Now, json_response
from shared.http import router as house_router
from shared.idempotency import EXEMPT, IdempotencyKeyMissing, IdempotencyKeyReused, RequestStillRunning
from shared.identity import VariantResolver, Visitor

router = house_router("/catalog", tag="variants")


@router.post(
    "/variants",
    status_code=201,
    summary="Use a variant",
    responses=refusals(
        MalformedRequest, *VARIANT_REFUSALS, IdempotencyKeyMissing, IdempotencyKeyReused, RequestStillRunning
    ),
)
async def use_variant(body: VariantRequest, _: VariantResolver, session: WriteSession, now: Now) -> VariantSnapshot:
    """The variant of a type and its identity properties; made when nobody has used it before, otherwise the same one.

    Properties by key or by Chinese or English name; values as people write them (`Φ20`, `12m`, `直螺纹`).
    """
    reference = VariantReference(type=body.type, properties=body.properties)
    return (await variant_actions.resolve_one(session, reference=reference, at=now)).snapshot


@router.post("/variants/resolve", summary="Use many variants", openapi_extra=EXEMPT, response_model=ResolveAnswer)
async def resolve_variants(body: ResolveRequest, _: VariantResolver, session: WriteSession, now: Now) -> Response:
    """At most 5,000 references, each answered in its place with the variant or with why there is none.

    Safe to repeat, so it needs no Idempotency-Key: a variant is made once, whoever asks and however often.
    """
    results = await variant_actions.resolve(session, references=body.variants, at=now)
    return json_response(
        {
            "results": [
                {"error": {"code": each[0].code, "detail": each[0].detail, "field": each[0].field}}
                if isinstance(each, list)
                else {"variant": each.snapshot.model_dump(mode="json")}
                for each in results
            ]
        }
    )


@router.get(
    "/variants/{key:path}",
    summary="One variant",
    responses=refusals(MalformedRequest, VariantNotFound, *VARIANT_REFUSALS),
)
async def variant(
    key: Annotated[
        str,
        Path(
            max_length=2000,
            pattern=r"^[^\x00-\x1f\x7f]+$",
            examples=["RB-HRB|diameter=20,grade=HRB400E,length=12"],
            description="URL-encoded; any spelling of the values is understood.",
        ),
    ],
    _: Visitor,
    session: ReadSession,
) -> VariantSnapshot:
    """A variant that somebody has used before, by its key."""
    return (await variant_actions.known_variant(session, key=key)).snapshot


@router.post(
    "/convert",
    summary="Convert a quantity",
    openapi_extra=EXEMPT,
    responses=refusals(MalformedRequest, *VARIANT_REFUSALS, *CONVERSION_REFUSALS),
)
async def convert(body: ConvertRequest, _: Visitor, session: ReadSession) -> Conversion:
    """A quantity of a variant in another unit, by the factors that an order line would freeze.

    It changes nothing and needs no Idempotency-Key.
    """
    return await converted(session, asked=body)
