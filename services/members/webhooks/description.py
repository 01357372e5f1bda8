"""The `webhooks` section of the OpenAPI description: every message a receiver may get."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import FastAPI, Header, Response

from services.members.webhooks.rules import PING, EventType
from services.members.webhooks.schemas import ConsentMessage, ExpiryMessage, Message, StageMessage

_TOLD = {
    EventType.ORDER_PLACED: "A purchase order was placed. Goes to its buyer and to its supplier, each its own.",
    EventType.ORDER_CHANGED: "A purchase order was answered, changed or cancelled. Goes to its buyer and its supplier.",
    EventType.SUPPLIER_CHANGED: "A supplier's qualification changed. Goes to the supplier.",
    EventType.APPLICATION_CHANGED: "A supplier's application for qualification moved on. Goes to the supplier.",
    EventType.ADMISSION_CHANGED: "Whether a contractor group buys from a supplier in a category changed. Goes to both.",
    EventType.BLACKLIST_CHANGED: "An entry of a blacklist was made, changed, lifted, ended or appealed against, or is "
    "proposed to be. Goes to the contractor group whose list it is and to the suppliers it names.",
    EventType.CONSENT_CHANGED: "A supplier gave a consent to read of its record, or revoked it. Goes to the supplier "
    "and to the contractor group, or the groups of the circle, it was given to.",
    EventType.DOCUMENT_EXPIRING: "A supplier's paper, qualification or verified identity ends in 60, 30 or 7 days, "
    "or has ended (0): nothing new is ordered then. Goes to the supplier.",
    EventType.OFFERS_NEED_UPDATE: "Offers need an update before they can be ordered. Goes to the supplier.",
    EventType.STAGE_ANNOUNCED: "From a day on a contractor group opens a category further. Goes to the group, the "
    "groups in its circle and the suppliers qualified in the category; to everybody where it opens to the market (S3).",
    EventType.STAGE_CHANGED: "How far a contractor group has opened a category changed: it took effect, was suspended "
    "or reverted. Goes to the same, also to those who see the group's objects no longer.",
    EventType.STAGE_STOPPED: "A stage change that was not in effect was suspended or reverted. Goes to whom it was "
    "announced; to the group alone if it was not announced.",
    EventType.STAGE_GATES_CHANGED: "Gates of a category that your group has opened hold no longer, or hold again. "
    "Nothing closes by it. Goes to the group.",
    EventType.CIRCLE_CHANGED: "Who stands in a circle changed, or an invitation. Goes to its members and the group.",
    EventType.JOINT_NOTICE_OPENED: "A group opened a joint purchasing notice. Goes to the groups that may see it.",
    EventType.JOINT_NOTICE_CHANGED: "A joint purchasing notice was joined, left, closed or cancelled. Goes to the "
    "groups that may see it; it does not say how much anybody wants.",
    EventType.CASE_FILE_CHANGED: "Operator staff opened your documents for a recorded reason, or the file was ended. "
    "Goes to the company whose documents they are.",
    EventType.ENDPOINT_DISABLED: "An endpoint of yours was disabled (gone, or failing for days). Goes to your others.",
    PING: "A test you asked for.",
}

WebhookId = Annotated[str, Header(description="Stable over all attempts and replays; drop what you had already.")]
WebhookTimestamp = Annotated[int, Header(description="Of this attempt, Unix seconds; refuse beyond 5 minutes.")]
WebhookSignature = Annotated[
    str, Header(description="`v1,` and the base64 of HMAC-SHA256 over id.timestamp.body; one for each valid secret.")
]


def describe_webhooks(app: FastAPI) -> None:
    """Add each message to the description. Nothing of it is a route of ours: receivers implement it."""
    for name, sentence in _TOLD.items():
        app.webhooks.add_api_route(
            str(name),
            _SAYING_MORE.get(str(name), _received),
            methods=["POST"],
            name=str(name),
            operation_id=f"webhook_{str(name).replace('.', '_')}",
            summary=str(name),
            description=sentence,
            status_code=204,
            response_class=Response,
            tags=["webhooks"],
        )


async def _received(
    body: Message,
    webhook_id: WebhookId,
    webhook_timestamp: WebhookTimestamp,
    webhook_signature: WebhookSignature,
) -> None:
    """Answer 2xx within 5 seconds; 410 when you want no more."""


async def _received_stage(
    body: StageMessage,
    webhook_id: WebhookId,
    webhook_timestamp: WebhookTimestamp,
    webhook_signature: WebhookSignature,
) -> None:
    """Answer 2xx within 5 seconds; 410 when you want no more."""


async def _received_consent(
    body: ConsentMessage,
    webhook_id: WebhookId,
    webhook_timestamp: WebhookTimestamp,
    webhook_signature: WebhookSignature,
) -> None:
    """Answer 2xx within 5 seconds; 410 when you want no more."""


async def _received_expiry(
    body: ExpiryMessage,
    webhook_id: WebhookId,
    webhook_timestamp: WebhookTimestamp,
    webhook_signature: WebhookSignature,
) -> None:
    """Answer 2xx within 5 seconds; 410 when you want no more."""


_SAYING_MORE: Mapping[str, Callable[..., Any]] = {
    EventType.STAGE_ANNOUNCED: _received_stage,
    EventType.STAGE_CHANGED: _received_stage,
    EventType.STAGE_STOPPED: _received_stage,
    EventType.CONSENT_CHANGED: _received_consent,
    EventType.DOCUMENT_EXPIRING: _received_expiry,
}
