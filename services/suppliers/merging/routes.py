"""HTTP of supplier merges, for operators; and whom a number means today, for other services."""

from datetime import datetime
from typing import Annotated, Protocol
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from services.suppliers.merging import actions, queries
from services.suppliers.merging.actions import (
    AlreadyMerged,
    MergeNotFound,
    MergeStateWrong,
    NothingSaysTheyAreOne,
    OpenDocuments,
    OwnMerge,
)
from services.suppliers.merging.rules import MergeState
from services.suppliers.merging.schemas import MergeEntryView, MergeProposed, MergeView, PairView, ReasonGiven
from services.suppliers.onboarding.actions import SupplierNotFound
from shared.clients.transport import ServiceAway, ServiceUnknown
from shared.contracts.suppliers import SupplierNumbers, SupplierResolution
from shared.database import Database, ReadSession, SystemSession, transaction
from shared.errors import refusals
from shared.http import Now
from shared.http import router as house_router
from shared.idempotency import EXEMPT
from shared.identity import CompanyReader, Operator
from shared.paging import CursorInvalid, PageQuery
from shared.tax_numbers import is_registration_number, normalised

router = house_router("/suppliers", tag="supplier merges")


class OpenOrderSource(Protocol):
    """Where open orders are counted: `shared.clients.orders.OpenOrdersClient`, or a number in a test."""

    async def open_orders(self, *, supplier_id: UUID) -> int:
        """Raises ServiceUnknown, ServiceAway."""
        ...


async def _counted(request: Request, merge_id: UUID, _: Operator) -> int:
    """What `orders` counts: asked before the deciding transaction begins (design.md rule 2)."""
    database: Database = request.app.state.database
    async with transaction(database.system) as session:
        merge = await queries.merge(session, merge_id=merge_id)
    if merge is None:
        return 0
    source: OpenOrderSource | None = request.app.state.orders
    if source is None:
        raise ServiceAway("orders cannot be asked for open orders.")
    return await source.open_orders(supplier_id=merge.vanishing_id)


@router.get("/merge-candidates", summary="Records that may be one company", responses=refusals(CursorInvalid))
async def candidates(_: Operator, session: SystemSession, paging: PageQuery, response: Response) -> list[PairView]:
    """By equal USCC (certain), equal old registration number, or the same name key and account in one region.

    Pairs that were merged or judged to be two companies are not among them.
    """
    after = paging.after_as(UUID, UUID)
    rows = await queries.pairs_page(session, after=(after[0], after[1]) if after else None, limit=paging.limit + 1)
    return [
        PairView.model_validate(pair)
        for pair in paging.page(rows, response, key=lambda pair: [pair.first, pair.second])
    ]


@router.post(
    "/merges",
    status_code=201,
    summary="Propose to merge two records",
    responses=refusals(SupplierNotFound, NothingSaysTheyAreOne, AlreadyMerged),
)
async def propose(
    body: MergeProposed, caller: Operator, session: SystemSession, now: Now, response: Response
) -> MergeView:
    """Nothing changes until a second operator approves."""
    merge = await actions.propose(
        session,
        survivor_id=body.survivor_id,
        vanishing_id=body.vanishing_id,
        reason=body.reason,
        by=caller,
        at=now,
    )
    response.headers["Location"] = f"/suppliers/merges/{merge.id}"
    return MergeView.model_validate(merge)


@router.get("/merges", summary="Merges, the newest first", responses=refusals(CursorInvalid))
async def list_merges(
    _: Operator, session: SystemSession, paging: PageQuery, response: Response, state: MergeState | None = None
) -> list[MergeView]:
    """Also those that were rejected or undone."""
    after = paging.after_as(UUID)
    rows = await queries.merges_page(session, state=state, before=after[0] if after else None, limit=paging.limit + 1)
    return [MergeView.model_validate(row) for row in paging.page(rows, response, key=lambda row: [row.id])]


@router.get("/merges/{merge_id}/history", summary="What became of a merge", responses=refusals(MergeNotFound))
async def history(merge_id: UUID, _: Operator, session: SystemSession) -> list[MergeEntryView]:
    """Append-only, each entry chained to the one before by its hash."""
    if await queries.merge(session, merge_id=merge_id) is None:
        raise MergeNotFound(f"No merge has the id {merge_id}.")
    return [MergeEntryView.model_validate(entry) for entry in await queries.entries(session, merge_id=merge_id)]


@router.post(
    "/merges/{merge_id}/approval",
    summary="Let a merge take effect",
    responses=refusals(
        MergeNotFound, MergeStateWrong, OwnMerge, AlreadyMerged, OpenDocuments, ServiceAway, ServiceUnknown
    ),
)
async def approve(
    *,
    merge_id: UUID,
    body: ReasonGiven,
    caller: Operator,
    open_orders: Annotated[int, Depends(_counted)],
    session: SystemSession,
    now: Now,
) -> MergeView:
    """By a second operator, while the record that vanishes has no order and no reservation under way.

    The vanishing id resolves to the surviving one from now on. Every contractor's own grades, prices and lists stay
    as they are, and so do documents.
    """
    return await _decided(merge_id, body, caller, session, now, approve=True, open_orders=open_orders)


@router.post(
    "/merges/{merge_id}/rejection",
    summary="Say that two records are two companies",
    responses=refusals(MergeNotFound, MergeStateWrong, OwnMerge),
)
async def reject(merge_id: UUID, body: ReasonGiven, caller: Operator, session: SystemSession, now: Now) -> MergeView:
    """By a second operator; the pair is not proposed again."""
    return await _decided(merge_id, body, caller, session, now, approve=False, open_orders=0)


async def _decided(
    merge_id: UUID,
    body: ReasonGiven,
    caller: Operator,
    session: SystemSession,
    now: datetime,
    *,
    approve: bool,
    open_orders: int,
) -> MergeView:
    merge = await actions.decide(
        session,
        merge_id=merge_id,
        approve=approve,
        reason=body.reason,
        open_orders=open_orders,
        asked_at=now,
        by=caller,
        at=now,
    )
    return MergeView.model_validate(merge)


@router.post("/merges/{merge_id}/undoing", summary="Undo a merge", responses=refusals(MergeNotFound, MergeStateWrong))
async def undo(merge_id: UUID, body: ReasonGiven, caller: Operator, session: SystemSession, now: Now) -> MergeView:
    """Both records stand for themselves again, as they stood before; the document stays."""
    merge = await actions.undo(session, merge_id=merge_id, reason=body.reason, by=caller, at=now)
    return MergeView.model_validate(merge)


@router.get("/resolutions/{supplier_id}", summary="Whom an id means today", responses=refusals(SupplierNotFound))
async def resolve_id(supplier_id: UUID, _: CompanyReader, session: ReadSession) -> SupplierResolution:
    """The id itself, or the one that a merge put in its place."""
    today = await queries.survivors(session, supplier_ids=[supplier_id])
    return SupplierResolution(number=str(supplier_id), supplier_id=today[supplier_id])


@router.post("/resolutions", summary="Which suppliers numbers mean today", openapi_extra=EXEMPT)
async def resolve(body: SupplierNumbers, _: CompanyReader, session: SystemSession) -> list[SupplierResolution]:
    """USCCs and old registration numbers, in the order asked; merged records answer with the surviving id."""
    wanted = {number: normalised(number) for number in body.numbers}
    known = await queries.by_tax_id(session, tax_ids=set(wanted.values()))
    old = {each for each in wanted.values() if is_registration_number(each)}
    by_old: dict[str, set[UUID]] = {}
    for identity in await queries.identities(session, registration_nos=old):
        if identity.registration_no is not None:
            by_old.setdefault(identity.registration_no, set()).add(identity.supplier_id)
    found: dict[str, UUID | None] = dict.fromkeys(wanted)
    for number, spelt in wanted.items():
        if spelt in known:
            found[number] = known[spelt][0]
        elif len(by_old.get(spelt, ())) == 1:
            found[number] = next(iter(by_old[spelt]))
    return [SupplierResolution(number=number, supplier_id=found[number]) for number in body.numbers]


@router.get("/{supplier_id}/identities", summary="What a supplier is known by", responses=refusals(SupplierNotFound))
async def identities(
    supplier_id: UUID, _: Operator, session: SystemSession, limit: Annotated[int, Query(ge=1, le=200)] = 100
) -> list[str]:
    """Names it bears or bore, also those of records merged into it."""
    return list(await queries.names_of(session, supplier_id=supplier_id, limit=limit))
