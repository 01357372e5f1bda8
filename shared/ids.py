"""Identifiers: UUIDv7, made by the caller's side so that a retry names the same thing."""

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A UUID of version 7 (RFC 9562): unique without a sequence, sorted by the time it was made."""
    return uuid_utils.compat.uuid7()
