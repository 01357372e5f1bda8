"""Opening a case file, looking through it, ending it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.case_files import queries, rules
from services.orders.case_files.rules import Standing
from services.orders.case_files.tables import CaseFile, CaseFileLook
from services.orders.purchase_orders import queries as order_queries
from services.orders.purchase_orders.tables import Basket, PurchaseOrder
from shared.audit import entries as audit
from shared.contracts.members import CompanyIdentity
from shared.contracts.orders import CASE_FILE_CHANGED, CaseFileChanged, Side
from shared.database import scope_to
from shared.errors import Conflict, FieldError, Forbidden, NotFound, Unprocessable
from shared.feed import publish
from shared.identity import Principal
from shared.ids import new_id


class CaseFileNotFound(NotFound):
    """Your company has opened no such case file, and none of this id is about it."""


class OwnDocuments(Unprocessable):
    """A case file opens another company's documents; your company reads its own without."""


class CaseFileOfAnother(Forbidden):
    """Only the person who opened a case file looks through it; open one under your own name and reason."""


class CaseFileExpired(Conflict):
    """The case file's time is over; open another, with its reason."""


class CaseFileEnded(Conflict):
    """The case file was ended, by its owner or by the operator."""


class NotInCaseFile(Forbidden):
    """The case file names orders, and this is none of them, or it is not of the owner it names."""


async def open_case_file(
    session: AsyncSession,
    *,
    owner: CompanyIdentity,
    reason: str,
    days: int,
    order_ids: Sequence[UUID] | None,
    caller: Principal,
    at: datetime,
) -> CaseFile:
    """Open an owner's documents to one person of the operator's staff, for a reason and some days.

    Raises:
        OwnDocuments: see the class.
    """
    if owner.id == caller.company:
        raise OwnDocuments(
            "These are your own company's documents.",
            errors=[FieldError(field="owner_id", rule="OwnDocuments", message="Name another company.")],
        )
    opened = CaseFile(
        owner_id=owner.id,
        id=new_id(),
        owner_name=owner.name,
        operator_id=caller.company,
        operator_name=caller.company_name or "",
        opened_by=caller.subject,
        opened_by_name=caller.name,
        reason=reason,
        order_ids=None if order_ids is None else sorted(set(order_ids)),
        opened_at=at,
        expires_at=rules.expiry(opened_at=at, days=days),
    )
    session.add(opened)
    await _tell(session, opened, what="opened", at=at)
    await session.flush()
    return opened


async def end_case_file(session: AsyncSession, *, case_file_id: UUID, caller: Principal, at: datetime) -> CaseFile:
    """From now on it opens nothing; the owner may do it at any time, and so may the operator.

    Raises:
        CaseFileNotFound, CaseFileEnded, CaseFileExpired: see the classes.
    """
    found = await _standing_file(session, case_file_id=case_file_id, caller=caller, at=at)
    found.ended_at, found.ended_by, found.ended_by_company = at, caller.subject, caller.company
    await _tell(session, found, what="ended", at=at)
    await session.flush()
    return found


async def _tell(session: AsyncSession, case_file: CaseFile, *, what: Literal["opened", "ended"], at: datetime) -> None:
    audit.concerns(session, case_file.owner_id, case_file.operator_id)
    await publish(
        session,
        type=CASE_FILE_CHANGED,
        subject=str(case_file.id),
        data=CaseFileChanged(
            case_file_id=case_file.id,
            owner_id=case_file.owner_id,
            operator_id=case_file.operator_id,
            what=what,
            expires_at=case_file.expires_at,
        ),
        at=at,
        company_id=case_file.owner_id,
    )


async def _standing_file(session: AsyncSession, *, case_file_id: UUID, caller: Principal, at: datetime) -> CaseFile:
    found = await queries.case_file(session, company_id=caller.company, case_file_id=case_file_id, lock=True)
    if found is None:
        raise CaseFileNotFound(f"There is no case file {case_file_id}.")
    audit.concerns(session, found.owner_id, found.operator_id)
    standing = found.term.standing(at=at)
    if standing == Standing.ENDED:
        raise CaseFileEnded(f"Case file {case_file_id} was ended.")
    if standing == Standing.EXPIRED:
        raise CaseFileExpired(f"Case file {case_file_id} expired.")
    return found


@dataclass(frozen=True, kw_only=True)
class Looking:
    """A case file somebody looks through now; its transaction sees the owner's rows."""

    case_file: CaseFile
    caller: Principal
    at: datetime

    def side(self, order: PurchaseOrder) -> Side:
        """The owner's side of an order: what is shown is what the owner sees."""
        return "buyer" if order.buyer_id == self.case_file.owner_id else "supplier"


async def look_through(session: AsyncSession, *, case_file_id: UUID, caller: Principal, at: datetime) -> Looking:
    """Begin a look. The file is locked until the look is logged, so nobody sees a thing after its end.

    Raises:
        CaseFileNotFound, CaseFileOfAnother, CaseFileEnded, CaseFileExpired: see the classes.
    """
    found = await _standing_file(session, case_file_id=case_file_id, caller=caller, at=at)
    if found.opened_by != caller.subject or found.operator_id != caller.company:
        raise CaseFileOfAnother(f"Case file {case_file_id} was opened by {found.opened_by_name}.")
    await scope_to(session, caller.company, found.owner_id)
    return Looking(case_file=found, caller=caller, at=at)


async def order_looked_at(
    session: AsyncSession, *, looking: Looking, order_id: UUID, document: str = "order"
) -> PurchaseOrder:
    """One of the owner's orders; the look is logged.

    Raises:
        NotInCaseFile: see the class; it does not tell whether there is such an order.
    """
    file = looking.case_file
    order = None
    if rules.opens(file.order_ids, order_id):
        order = await order_queries.order(session, company_id=file.owner_id, order_id=order_id)
    if order is None:
        raise NotInCaseFile(f"Case file {file.id} does not open an order {order_id}.")
    await _log(session, looking, document=document, orders=[order])
    return order


async def orders_looked_at(
    session: AsyncSession, *, looking: Looking, after: tuple[UUID] | None, limit: int
) -> Sequence[PurchaseOrder]:
    """A page of the orders the file opens and one more; the look at the page is logged."""
    file = looking.case_file
    found = await queries.opened_orders_page(
        session, owner_id=file.owner_id, order_ids=file.order_ids, after=after, limit=limit + 1
    )
    await _log(session, looking, document="orders", orders=found[:limit])
    return found


async def basket_looked_at(
    session: AsyncSession, *, looking: Looking, basket_id: UUID
) -> tuple[Basket, Sequence[PurchaseOrder]]:
    """A basket of the owner's and those of its orders that the file opens; the look is logged.

    Raises:
        NotInCaseFile: see the class.
    """
    file = looking.case_file
    basket = await order_queries.basket(session, buyer_id=file.owner_id, basket_id=basket_id)
    orders: Sequence[PurchaseOrder] = []
    if basket is not None:
        every = await order_queries.orders_of_basket(session, buyer_id=file.owner_id, basket_id=basket_id)
        orders = [order for order in every if rules.opens(file.order_ids, order.id)]
    if basket is None or not orders:
        raise NotInCaseFile(f"Case file {file.id} does not open a basket {basket_id}.")
    await _log(session, looking, document="basket", orders=orders)
    return basket, orders


async def _log(session: AsyncSession, looking: Looking, *, document: str, orders: Sequence[PurchaseOrder]) -> None:
    session.add(
        CaseFileLook(
            owner_id=looking.case_file.owner_id,
            case_file_id=looking.case_file.id,
            id=new_id(),
            operator_id=looking.case_file.operator_id,
            looked_by=looking.caller.subject,
            looked_by_name=looking.caller.name,
            looked_at=looking.at,
            document=document,
            document_ids=[order.id for order in orders],
        )
    )
    await session.flush()
