"""What `orders` says of joint purchasing notices: to webhooks, never how much anybody wants."""

from uuid import UUID

from pydantic import BaseModel, Field

JOINT_NOTICE_OPENED = "dev.dougong.orders.joint_notice.opened.v1"
JOINT_NOTICE_CHANGED = "dev.dougong.orders.joint_notice.changed.v1"


class JointNoticeTold(BaseModel):
    """dev.dougong.orders.joint_notice.opened.v1 and dev.dougong.orders.joint_notice.changed.v1"""

    notice_id: UUID
    group_id: UUID = Field(description="Who opened it.")
    category: str
    status: str
    what: str = Field(examples=["opened", "joined", "withdrawn", "closed", "cancelled"])
    group_ids: list[UUID] = Field(description="The groups that may see it.")
