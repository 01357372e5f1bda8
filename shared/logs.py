"""Structured logs: one JSON object a line on standard error, carrying the request id."""

import logging
import sys
from typing import Any

import orjson
import structlog

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


def _dumps(event: Any, **_: Any) -> bytes:
    return orjson.dumps(event, default=str)


def configure_logs(*, service: str, level: str) -> None:
    """Set up this process's logs; `service` stands in every line."""
    structlog.configure(
        cache_logger_on_first_use=False,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(file=sys.stderr.buffer),
    )
    structlog.contextvars.bind_contextvars(service=service)
