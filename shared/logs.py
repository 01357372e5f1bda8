"""Structured logs: one JSON object a line on standard error, carrying the request id."""

import logging
import sys
import traceback
from typing import Any

import orjson
import structlog

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


def told(error: BaseException) -> str:
    """An error as it may be logged, stored or shown: database errors without the values they were about.

    PostgreSQL quotes whole rows in the details of an error, and rows hold contract prices (design.md rule 8).
    """
    cause = getattr(error, "orig", None) or error
    diagnosis = getattr(cause, "diag", None)
    if diagnosis is None:
        return f"{type(error).__name__}: {error}"[:500]
    parts = (type(cause).__name__, getattr(cause, "sqlstate", None), diagnosis.constraint_name, diagnosis.table_name)
    return " ".join(str(part) for part in parts if part)


def without_values(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Replace a database error's text by what may be told; keep where it happened."""
    error = event.get("exc_info")
    if isinstance(error, BaseException) and getattr(getattr(error, "orig", None) or error, "diag", None) is not None:
        event["error"] = told(error)
        event["exception"] = "".join(traceback.format_tb(error.__traceback__))
        del event["exc_info"]
    return event


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
            without_values,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(file=sys.stderr.buffer),
    )
    structlog.contextvars.bind_contextvars(service=service)
