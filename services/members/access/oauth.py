"""The token endpoint's way of reading and refusing (RFC 6749 2.3.1, 4.4, 5.2)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import orjson
from fastapi import Request, Response

from services.members.access.client_actions import OAuthRefusal

_FORM = "application/x-www-form-urlencoded"
_STATUS = {"invalid_client": 401, "too_many_requests": 429}
_MAX_BODY = 16 * 1024

_ERROR = {
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error"],
                "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
            },
            "example": {"error": "invalid_client", "error_description": "The client is unknown, …"},
        }
    }
}
OPENAPI: dict[str, Any] = {
    "x-body-limit": _MAX_BODY,
    "requestBody": {
        "required": True,
        "content": {
            _FORM: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": ["client_credentials"]},
                        "client_id": {"type": "string"},
                        "client_secret": {"type": "string", "format": "password"},
                        "scope": {"type": "string", "description": "Space-separated; all scopes when left out."},
                    },
                },
                "example": {
                    "grant_type": "client_credentials",
                    "client_id": "dg_5e1f0c9ab2d34e77",
                    "client_secret": "dgs_q9V…",
                    "scope": "stock:write",
                },
            }
        },
    },
    "responses": {
        "400": {"description": "invalid_request, unsupported_grant_type, invalid_scope", **_ERROR},
        "401": {"description": "invalid_client", **_ERROR},
        "429": {"description": "too_many_requests, with Retry-After", **_ERROR},
    },
}


@dataclass(frozen=True, kw_only=True)
class ClientRequest:
    """What a client asks of the token endpoint; `scopes` None asks for all it holds."""

    client_id: str
    client_secret: str
    scopes: list[str] | None


async def client_request(request: Request) -> ClientRequest:
    """Read the form and the client's credentials, from HTTP Basic or from the form, never from both.

    Raises:
        OAuthRefusal: invalid_request, unsupported_grant_type, invalid_client.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise OAuthRefusal("invalid_request", f"Send a form ({_FORM}).")
    form = _parameters(await request.body())
    grant_type = form.get("grant_type")
    if grant_type is None:
        raise OAuthRefusal("invalid_request", "grant_type is missing.")
    if grant_type != "client_credentials":
        raise OAuthRefusal("unsupported_grant_type", "Only client_credentials is supported.")
    basic = _basic(request.headers.get("authorization", ""))
    if basic is not None and "client_secret" in form:
        raise OAuthRefusal("invalid_request", "Authenticate by HTTP Basic or in the form, not both.")
    client_id, secret = basic or (form.get("client_id"), form.get("client_secret"))
    if not client_id or not secret:
        raise OAuthRefusal("invalid_client", "client_id and client_secret are missing.")
    if "\x00" in client_id or form.get("client_id", client_id) != client_id:
        raise OAuthRefusal("invalid_request", "client_id is contradictory or malformed.")
    scope = form.get("scope", "").split()
    return ClientRequest(client_id=client_id, client_secret=secret, scopes=scope or None)


def _parameters(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20)
    except ValueError as error:
        raise OAuthRefusal("invalid_request", "The form is malformed.") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise OAuthRefusal("invalid_request", "A parameter stands twice.")
    return form


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, secret = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError) as error:
        raise OAuthRefusal("invalid_client", "The Basic credentials are malformed.") from error
    if not colon:
        raise OAuthRefusal("invalid_client", "The Basic credentials are malformed.")
    return unquote_plus(client_id), unquote_plus(secret)


def refusal_response(refusal: OAuthRefusal, *, headers: Mapping[str, str] | None = None) -> Response:
    """The refusal in the RFC's shape."""
    status = _STATUS.get(refusal.error, 400)
    sent = {"Cache-Control": "no-store", "Pragma": "no-cache", **(headers or {})}
    if refusal.error == "invalid_client":
        sent["WWW-Authenticate"] = 'Basic realm="dougong"'
    body = {"error": refusal.error, "error_description": refusal.description}
    return Response(orjson.dumps(body), status, sent, media_type="application/json")
