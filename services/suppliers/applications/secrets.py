"""Numbers that are compared but never read again: hashed with a key of the installation."""

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

KEY_BYTES = 32


def kept_key(folder: Path) -> bytes:
    """The installation's key, made once by whichever process comes first, readable by the service alone."""
    place = folder / "identity.key"
    if not place.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / f"identity.key.{secrets.token_hex(8)}"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        with suppress(FileExistsError):
            place.hardlink_to(fresh)
        fresh.unlink()
    return place.read_bytes()


def keyed_hash(number: str, *, key: bytes, purpose: str) -> bytes:
    """HMAC-SHA-256 of a number in its one spelling. Without the key the few possible numbers cannot be tried out.

    `purpose` keeps an account from being compared with a document.
    """
    return hmac.new(key, f"{purpose}:{number}".encode(), hashlib.sha256).digest()
