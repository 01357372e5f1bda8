"""Making keys and access tokens (JWT, RFC 9068 shape, Ed25519)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from services.members.access.tables import SigningKey
from shared.identity import ALGORITHM
from shared.ids import new_id


def new_signing_key(*, at: datetime) -> SigningKey:
    """A fresh Ed25519 key under a new key id."""
    kid = new_id().hex
    key = OKPKey.generate_key("Ed25519", {"kid": kid, "use": "sig", "alg": ALGORITHM})
    return SigningKey(
        kid=kid, private_jwk=key.as_dict(private=True), public_jwk=key.as_dict(private=False), created_at=at
    )


def sign(claims: Mapping[str, Any], *, key: SigningKey) -> str:
    """The claims as a signed token that names its key."""
    header = {"alg": ALGORITHM, "kid": key.kid, "typ": "at+jwt"}
    private = OKPKey.import_key(key.private_jwk)
    return jwt.encode(header, dict(claims), private, algorithms=[ALGORITHM])


def session_named_in(verified_token: str) -> UUID | None:
    """The session an access token was issued in, from a token whose signature has been checked already."""
    try:
        claims = orjson.loads(jws.extract_compact(verified_token.encode()).payload)
        return UUID(claims["sid"])
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        return None
