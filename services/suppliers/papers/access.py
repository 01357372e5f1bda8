"""Who may read a paper: one function, asked by every way to it."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.papers.tables import Paper
from shared.identity import Principal, Role


async def may_read(session: AsyncSession, *, paper: Paper, viewer: Principal) -> bool:  # noqa: ARG001 - consents are read here
    """The supplier's own people, and operators, who review it. Nobody else without the supplier's consent (T5)."""
    return viewer.company_id == paper.supplier_id or Role.OPERATOR in viewer.roles
