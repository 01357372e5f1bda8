"""Random texts shown once and kept as a hash: invitations, refresh tokens, client secrets."""

import hashlib
import secrets

_BYTES = 32


def new_token(prefix: str) -> str:
    """256 random bits as text, with a prefix by which secret scanners recognise it."""
    return f"{prefix}_{secrets.token_urlsafe(_BYTES)}"


def token_hash(token: str) -> bytes:
    """What is stored. A fast hash is enough: there are 2^256 tokens to try, not a dictionary of passwords."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
