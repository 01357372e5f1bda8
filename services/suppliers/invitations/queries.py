"""Invitations, each with how far the supplier that accepted it has come."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.suppliers.invitations.rules import InvitationState, Progress, state_of
from services.suppliers.invitations.tables import Invitation, InvitationFile
from shared.database import scope_to


@dataclass(frozen=True, kw_only=True, slots=True)
class InvitationSeen:
    """An invitation and where it stands."""

    invitation: Invitation
    state: InvitationState


_PROGRESS = text(
    """
    SELECT s.company_id AS supplier_id, s.status, (
        SELECT a.state FROM supplier_applications a WHERE a.supplier_id = s.company_id AND a.state <> 'WITHDRAWN'
        ORDER BY a.id DESC LIMIT 1
    ) AS application_state, EXISTS (
        SELECT FROM admissions a WHERE a.supplier_id = s.company_id AND a.status = 'ADMITTED'
          AND :group_id IN (a.group_id, a.space_group_id)
    ) AS admitted
    FROM suppliers s WHERE s.company_id = ANY (:ids)
    """
)
"""The inviter sees how far those it invited have come, whether it admitted them itself, and nothing else of them."""


async def _seen(session: AsyncSession, invitations: Sequence[Invitation], *, at: datetime) -> list[InvitationSeen]:
    """Invitations of one group. For reading only: the session's scope becomes that of the suppliers that accepted."""
    accepted = [each.supplier_id for each in invitations if each.supplier_id is not None]
    rows: Sequence[Any] = []
    if accepted:
        await scope_to(session, *accepted)
        rows = (await session.execute(_PROGRESS, {"ids": accepted, "group_id": invitations[0].group_id})).all()
    progress: dict[UUID, Any] = {row.supplier_id: row for row in rows}
    return [
        InvitationSeen(invitation=each, state=_state(each, progress.get(each.supplier_id or UUID(int=0)), at=at))
        for each in invitations
    ]


def _state(invitation: Invitation, supplier: Any, *, at: datetime) -> InvitationState:
    return state_of(
        Progress(
            expires_at=invitation.expires_at,
            opened_at=invitation.opened_at,
            revoked_at=invitation.revoked_at,
            accepted=invitation.supplier_id is not None,
            supplier_status=None if supplier is None else supplier.status,
            application_state=None if supplier is None else supplier.application_state,
            admitted=supplier is not None and supplier.admitted,
        ),
        at=at,
    )


async def invitations_of_group(session: AsyncSession, *, group_id: UUID, at: datetime) -> list[InvitationSeen]:
    """All invitations of a group, the oldest first: a few thousand at most."""
    rows = await session.execute(
        select(Invitation).where(col(Invitation.group_id) == group_id).order_by(col(Invitation.id))
    )
    return await _seen(session, rows.scalars().all(), at=at)


async def invitation(
    session: AsyncSession, *, group_id: UUID, invitation_id: UUID, at: datetime
) -> InvitationSeen | None:
    """One invitation of a group."""
    found = await session.get(Invitation, (group_id, invitation_id))
    return None if found is None else (await _seen(session, [found], at=at))[0]


async def invitation_for_update(session: AsyncSession, *, group_id: UUID, invitation_id: UUID) -> Invitation | None:
    """One invitation of a group, locked."""
    return await session.get(Invitation, (group_id, invitation_id), with_for_update=True)


async def by_code_for_update(session: AsyncSession, *, code_hash: bytes) -> Invitation | None:
    """The invitation a code opens, whoever made it, locked: in a system session."""
    found = await session.execute(select(Invitation).where(col(Invitation.code_hash) == code_hash).with_for_update())
    return found.scalar_one_or_none()


async def open_tax_ids(session: AsyncSession, *, group_id: UUID, at: datetime) -> frozenset[str]:
    """The tax ids a group has open invitations for."""
    found = await session.execute(
        select(Invitation.tax_id).where(
            col(Invitation.group_id) == group_id,
            col(Invitation.tax_id).is_not(None),
            col(Invitation.accepted_at).is_(None),
            col(Invitation.revoked_at).is_(None),
            col(Invitation.expires_at) > at,
        )
    )
    return frozenset(tax_id for tax_id in found.scalars() if tax_id is not None)


async def lock_group(session: AsyncSession, *, group_id: UUID) -> None:
    """One invitation or file of a group at a time: two of the same meet here, and the second sees the first."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"suppliers.invitations.{group_id}"}
    )


async def file_taken_before(session: AsyncSession, *, group_id: UUID, file_hash: bytes) -> InvitationFile | None:
    """This very file, if the group sent it before."""
    return await session.get(InvitationFile, (group_id, file_hash))


async def inviting_groups(session: AsyncSession, *, supplier_ids: Collection[UUID]) -> dict[UUID, list[Invitation]]:
    """The invitations each supplier accepted, by supplier: who asked it in, and for which categories.

    In a system session, or one scoped to the inviting group.
    """
    found = await session.execute(
        select(Invitation).where(col(Invitation.supplier_id).in_(list(supplier_ids))).order_by(col(Invitation.id))
    )
    by_supplier: dict[UUID, list[Invitation]] = {}
    for invitation in found.scalars():
        if invitation.supplier_id is not None:
            by_supplier.setdefault(invitation.supplier_id, []).append(invitation)
    return by_supplier
