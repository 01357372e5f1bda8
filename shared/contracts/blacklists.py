"""What `suppliers` tells of blacklists: who is on one, how much that forbids, until when. No text of anybody's."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

BLACKLIST_CHANGED = "dev.dougong.suppliers.blacklist.changed.v1"
BLACKLIST_APPEALED = "dev.dougong.suppliers.blacklist.appealed.v1"


class BlacklistChanged(BaseModel):
    """dev.dougong.suppliers.blacklist.changed.v1: an entry as it stands now.

    No categories (then also no types), regions or projects means all of them. The last day counts.
    """

    entry_id: UUID
    owner_group_id: UUID | None = Field(description="The contractor group it binds; None: official, binds all.")
    what: str = Field(examples=["listed"])
    supplier_ids: list[UUID] = Field(description="The registered suppliers it is about.")
    level: Literal["NO_INVITE", "NO_NEW_ORDER", "STOP_DELIVERY"]
    reason_class: str = Field(examples=["QUALITY"])
    categories: list[str]
    type_codes: list[str] = Field(description="The component types of these categories.")
    regions: list[str]
    project_ids: list[UUID]
    starts_on: date
    expires_on: date
    status: Literal["ACTIVE", "LIFTED", "EXPIRED"]
    version: int


class BlacklistAppealed(BaseModel):
    """dev.dougong.suppliers.blacklist.appealed.v1: a supplier says that an entry is wrong; it counts until answered."""

    entry_id: UUID
    appeal_id: UUID
    owner_group_id: UUID | None = Field(description="The contractor group whose list it is; None: official.")
    supplier_id: UUID
    what: Literal["appealed"] = "appealed"
