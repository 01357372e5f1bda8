"""What services measure for the gates of stage changes and for the report before one: shares and counts, no amounts."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import Answer


class MappedSpend(Answer):
    """How much of a contractor group's spend in a category stands on lines with a standard variant."""

    group_id: UUID
    category: str = Field(examples=["finishes_misc"])
    since: datetime = Field(description="Orders placed from here on …")
    until: datetime = Field(description="… up to here are looked at.")
    share: Decimal | None = Field(
        description="From 0 to 1, to four places; none: nothing was spent.", examples=["0.9630"]
    )


class SupplierQuality(Answer):
    """The suppliers a contractor group admitted for a category, as the gates ask about them."""

    group_id: UUID
    category: str
    active_suppliers: int = Field(description="Admitted by the group, and qualified.")
    valid_share: Decimal | None = Field(
        description="With a valid unified social credit code and no open duplicate; none: there are no suppliers."
    )
    expired_share: Decimal | None = Field(description="With an expired qualification document.")


class ReachOfViewer(Answer):
    """What one kind of viewer would see more, or no longer."""

    viewer: str = Field(description="`group:` and its id, `members` or `public`.", examples=["members"])
    suppliers_opened: int
    offers_opened: int
    suppliers_closed: int
    offers_closed: int


class VisibilityCounts(Answer):
    """What a step of a group's stage in a category would open or close, counted over the offers there are now."""

    group_id: UUID
    category: str
    suppliers: int = Field(description="Admitted by the group now.")
    offers: int = Field(description="Their offers that are not withdrawn.")
    viewers: list[ReachOfViewer]
