"""Bodies of the webhook routes, and the messages that are sent."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from services.members.webhooks.rules import DeliveryStatus, DisabledWhy, EndpointStatus, EventType
from shared.contracts.fields import Answer, Body, Text

Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2000),
    Field(examples=["https://erp.supplier.example/dougong/events"]),
]
EventTypes = Annotated[
    list[EventType], Field(min_length=1, max_length=50, examples=[["order.placed", "order.changed"]])
]


class EndpointGiven(Body):
    """Where the company wants to be told, and of what."""

    url: Url
    event_types: EventTypes
    description: Annotated[Text, Field(max_length=200, examples=["ERP, orders"])] = ""


class EndpointChange(Body):
    """What to change; members left out stay as they are."""

    event_types: EventTypes | None = None
    description: Annotated[Text, Field(max_length=200)] | None = None


class SecretRotation(Body):
    """How long the secret before signs too, so that the receiver can change over: a day unless said."""

    overlap_seconds: Annotated[int, Field(ge=0, le=7 * 86_400)] = 86_400


class Replay(Body):
    """What to send again."""

    since: AwareDatetime = Field(description="Of when on; by the time things happened.")
    delivered_too: bool = Field(default=False, description="Also what was delivered; else only what failed or is held.")


class EndpointView(Answer):
    """An endpoint, without its secret."""

    id: UUID
    url: str
    description: str
    event_types: list[str]
    status: EndpointStatus
    disabled_at: datetime | None
    disabled_why: DisabledWhy | None = Field(
        description="company: somebody of yours did it; gone: it answered 410; failing: nothing arrived for days."
    )
    failing_since: datetime | None = Field(description="The first failure since the last success.")
    last_delivered_at: datetime | None
    previous_secret_until: datetime | None = Field(description="Until then two secrets sign.")
    version: int
    created_at: datetime
    created_by: UUID


class EndpointSecret(EndpointView):
    """An endpoint with its new secret, shown this once."""

    secret: str | None = Field(
        description="None in a replayed answer: a secret is shown once.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )


class AttemptView(Answer):
    """One attempt. Without `duration_ms` it was cut off, or runs now: the receiver may have got it."""

    number: int
    started_at: datetime
    duration_ms: int | None
    http_status: int | None
    fault: str | None = Field(description="Why there was no answer, or why it does not count.")
    answer: str | None = Field(description="The first 2 kB of the answer.")


class DeliveryView(Answer):
    """One message to one endpoint."""

    id: UUID = Field(description="The `webhook-id` of each of its attempts.")
    endpoint_id: UUID
    event_id: UUID
    type: str
    subject_id: str
    path: str
    occurred_at: datetime
    status: DeliveryStatus
    attempts: int
    next_attempt_at: datetime | None
    delivered_at: datetime | None


class DeliveryLog(DeliveryView):
    """A message with every attempt to deliver it."""

    log: list[AttemptView]


class Replayed(Answer):
    """How many messages are sent again."""

    begun: int


class MessageData(BaseModel):
    """What a message says of its object. No price, amount or quantity: read the object, with your own rights."""

    subject_id: str = Field(description="The object.", examples=["01930000-0000-7000-8000-000000000000"])
    path: str = Field(description="Where the API tells more.", examples=["/orders/purchase-orders/01930000-…"])
    company_id: UUID = Field(description="Your company: whom this endpoint belongs to.")


class Message(BaseModel):
    """The body of every webhook."""

    id: UUID = Field(description="The same as the header `webhook-id`; keep it and drop what you had already.")
    type: str
    timestamp: datetime = Field(description="When it happened. Attempts carry their own time in `webhook-timestamp`.")
    data: MessageData


class StageMessageData(MessageData):
    """A stage change, said in full: most who are concerned have no right to read the document."""

    group_id: UUID = Field(description="The contractor group.")
    category: str = Field(examples=["finishes_misc"])
    from_stage: str | None = Field(default=None, description="Of an announcement.", examples=["S1"])
    to_stage: str | None = Field(default=None, description="Of an announcement.", examples=["S2"])
    effective_from: datetime | None = Field(default=None, description="Of an announcement: nothing has changed yet.")
    before_stage: str | None = Field(default=None, description="Of a change.")
    stage: str | None = Field(default=None, description="Of a change: from now on.")
    what: str | None = Field(
        default=None, description="Of a change: took effect, suspended, reverted. Of one stopped: the latter two."
    )


class StageMessage(Message):
    """The body of `stage.announced`, `stage.changed` and `stage.stopped`."""

    data: StageMessageData


class ConsentMessageData(MessageData):
    """A consent: who may read under it has no list of consents, and a revoked one answers nothing any more."""

    supplier_id: UUID = Field(description="Whose record may be read.")
    until: date = Field(description="The last day.")
    revoked: Literal["true", "false"]


class ConsentMessage(Message):
    """The body of `consent.changed`."""

    data: ConsentMessageData


class ExpiryMessageData(MessageData):
    """What of a supplier's own ends, and when."""

    subject: Literal["paper", "qualification", "identity"]
    kind: str = Field(description="The paper's kind; of the others, the subject again.", examples=["production_permit"])
    ends_on: date = Field(description="The last day.")
    step: Literal["60", "30", "7", "0"] = Field(description="Days left at most; 0: it has ended.")


class ExpiryMessage(Message):
    """The body of `document.expiring`."""

    data: ExpiryMessageData
