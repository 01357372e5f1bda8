"""What an endpoint and a delivery may be, and when a failed delivery is tried again. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum


class EventType(StrEnum):
    """What an endpoint may ask to be told. Thin: each says what to look at, never what it costs or how much it is."""

    ORDER_PLACED = "order.placed"
    ORDER_CHANGED = "order.changed"
    SUPPLIER_CHANGED = "supplier.changed"
    APPLICATION_CHANGED = "application.changed"
    ADMISSION_CHANGED = "admission.changed"
    BLACKLIST_CHANGED = "blacklist.changed"
    CONSENT_CHANGED = "consent.changed"
    DOCUMENT_EXPIRING = "document.expiring"
    OFFERS_NEED_UPDATE = "offers.needs_update"
    STAGE_ANNOUNCED = "stage.announced"
    STAGE_CHANGED = "stage.changed"
    STAGE_STOPPED = "stage.stopped"
    STAGE_GATES_CHANGED = "stage.gates_changed"
    CIRCLE_CHANGED = "circle.changed"
    JOINT_NOTICE_OPENED = "joint_notice.opened"
    JOINT_NOTICE_CHANGED = "joint_notice.changed"
    CASE_FILE_CHANGED = "case_file.changed"
    ENDPOINT_DISABLED = "webhook_endpoint.disabled"


PING = "webhook.ping"
"""A test; every endpoint takes it."""

ENDPOINTS_AT_MOST = 20
"""Of one company."""


class EndpointStatus(StrEnum):
    """Whether anything is sent to it."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


class DisabledWhy(StrEnum):
    """Who or what switched an endpoint off."""

    COMPANY = "company"
    GONE = "gone"
    """It answered 410 Gone."""
    FAILING = "failing"
    """For days every delivery failed."""


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    """Given up after the last retry; a replay takes it up again."""
    HELD = "HELD"
    """The endpoint is disabled; nothing is sent before it is enabled and the delivery replayed."""


GONE = 410

RETRIES_AFTER = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""The waits of the Standard Webhooks specification, together about three days."""

_JITTER_PER_MILLE = 200


def retry_at(*, tries: int, at: datetime, jitter_per_mille: int) -> datetime | None:
    """When a delivery that failed for the `tries`-th time is tried again; None: never.

    `jitter_per_mille` is a random number from 0 to 999: it lengthens the wait by up to a fifth, so that what failed
    together does not come back together.
    """
    if tries > len(RETRIES_AFTER):
        return None
    wait = RETRIES_AFTER[tries - 1]
    return at + wait + wait * (_JITTER_PER_MILLE * jitter_per_mille) / 1_000_000


def is_success(http_status: int | None) -> bool:
    """Only 2xx says that the receiver has it; a redirect says that it is elsewhere, and we do not go there."""
    return http_status is not None and 200 <= http_status < 300


def has_failed_too_long(*, failing_since: datetime | None, at: datetime, limit: timedelta) -> bool:
    """Whether an endpoint that fails now has failed without a success in between for so long that it is given up."""
    return failing_since is not None and at - failing_since >= limit


def may_replay(*, status: DeliveryStatus, endpoint: EndpointStatus) -> bool:
    """Anything may be sent again, to an endpoint that is enabled; what is under way already stays as it is."""
    return endpoint is EndpointStatus.ENABLED and status is not DeliveryStatus.PENDING
