"""Who may read a paper: one function, asked by every way to it."""

from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.consents.profile import spaces_by_category
from services.suppliers.consents.queries import consents_in_force
from services.suppliers.consents.rules import Form, Shared, form_open
from services.suppliers.consents.tables import Consent
from services.suppliers.papers.queries import PaperSeen
from shared.audience import Space
from shared.identity import Principal, Role


class Reader:
    """One viewer of one supplier's papers, with what opens them: consents and the stages of the spaces they serve."""

    def __init__(
        self,
        *,
        supplier_id: UUID,
        viewer: Principal,
        spaces: dict[str, list[Space]] | None = None,
        consents: list[Consent] | None = None,
    ) -> None:
        self._supplier_id = supplier_id
        self._keys = viewer.viewer_keys
        self._whole = viewer.company_id == supplier_id or Role.OPERATOR in viewer.roles
        self._contractor = Role.BUYER in viewer.roles or Role.APPROVER in viewer.roles
        self._spaces = spaces or {}
        self._consents = consents or []

    @property
    def whole(self) -> bool:
        """The supplier's own people, and operators, who review: everything, refused papers too."""
        return self._whole

    def may_read(self, seen: PaperSeen) -> bool:
        """Whether the viewer may read a paper."""
        return self._whole or self.opened_by(seen) is not None

    def opened_by(self, seen: PaperSeen) -> Consent | bool | None:
        """What lets another contractor read: a consent; True when it is its own group's record; None: nothing.

        Only what was accepted is open, and a paper for some categories only by the spaces of these (domain.md 3.2).
        """
        if not (self._contractor and seen.accepted):
            return None
        named = seen.paper.categories or list(self._spaces)
        spaces = [space for category in named for space in self._spaces.get(category, ())]
        for consent in (None, *self._consents):
            form = form_open(
                Shared.QUALIFICATION_DOCUMENTS,
                spaces=spaces,
                owner=self._supplier_id,
                viewer=self._keys,
                consent=None if consent is None else consent.given,
            )
            if form is Form.FULL:
                return consent or True
        return None


async def reader(session: AsyncSession, *, supplier_id: UUID, viewer: Principal, on: date) -> Reader:
    """A viewer with what opens the supplier's papers to it at this moment: a consent revoked before opens nothing.

    The session sees the supplier's rows.
    """
    asked = Reader(supplier_id=supplier_id, viewer=viewer)
    if asked.whole:
        return asked
    return Reader(
        supplier_id=supplier_id,
        viewer=viewer,
        spaces=await spaces_by_category(session, supplier_id=supplier_id),
        consents=await consents_in_force(session, supplier_id=supplier_id, what=Shared.QUALIFICATION_DOCUMENTS, on=on),
    )
