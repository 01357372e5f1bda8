"""Who is calling: access tokens verified offline, and callers named by type in every route.

`members` issues short-lived EdDSA tokens (RFC 9068 shape, Ed25519 by RFC 9864) and publishes its public keys;
every other service verifies with the keys it last fetched. A route says whom it serves by the type of its
`caller` argument; strangers to a company get 404 (`same_company`), members without the right get 403.
"""

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Protocol, cast
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from shared.audience import viewer_keys
from shared.errors import Forbidden, NotFound, Unauthenticated

ALGORITHM = "Ed25519"
TOKEN_AUDIENCE = "dougong"  # noqa: S105 - a name, not a secret
_CACHE_SIZE = 10_000
_REFETCH_SECONDS = 10.0


class Role(StrEnum):
    """What a person may do for a company (domain.md 5.2)."""

    REQUESTER = "requester"
    BUYER = "buyer"
    APPROVER = "approver"
    FINANCE = "finance"
    ADMIN = "admin"
    SUPPLIER_SALES = "supplier_sales"
    SUPPLIER_FINANCE = "supplier_finance"
    OPERATOR = "operator"


class Scope(StrEnum):
    """What an API client may do: the first group is for suppliers, the second for our own services."""

    STOCK_WRITE = "stock:write"
    PRICES_WRITE = "prices:write"
    ORDERS_READ = "orders:read"
    ORDERS_RESPOND = "orders:respond"
    FEED_READ = "feed:read"
    RESERVATIONS_WRITE = "reservations:write"
    VARIANTS_RESOLVE = "variants:resolve"
    COMPANIES_READ = "companies:read"
    MEASUREMENTS_READ = "measurements:read"
    COMPANIES_REGISTER = "companies:register"
    ORDERS_COUNT = "orders:count"


Kind = Literal["person", "client", "service"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """The caller of one request: a person or API client acting for one company, or a service."""

    subject: UUID
    kind: Kind
    name: str
    company_id: UUID | None = None
    company_name: str | None = None
    group_id: UUID | None = None
    circle_ids: frozenset[UUID] = frozenset()
    """The circles the company takes part in, as of when the token was issued."""
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()

    @property
    def scope_id(self) -> UUID:
        """The owner of what this caller does: its company, or itself."""
        return self.company_id or self.subject

    @property
    def group(self) -> UUID:
        """The contractor group the caller's company belongs to; a company without one stands for itself.

        Raises:
            Forbidden: the caller acts for no company.
        """
        return self.group_id or self.company

    @property
    def viewer_keys(self) -> frozenset[str]:
        """What the caller holds against an object's audience keys (`shared.audience`)."""
        return viewer_keys(company_id=self.company_id, group_id=self.group_id, circle_ids=self.circle_ids)

    @property
    def company(self) -> UUID:
        """The company the caller acts for.

        Raises:
            Forbidden: the caller acts for no company.
        """
        if self.company_id is None:
            raise CompanyNeeded("This needs a caller who acts for a company; sign in for one.")
        return self.company_id


class TokenInvalid(Unauthenticated):
    """The access token is malformed, expired, for another audience, or signed by an unknown key."""


class TokenMissing(Unauthenticated):
    """This route needs an access token: `Authorization: Bearer …`."""


class RightMissing(Forbidden):
    """The caller's roles or scopes do not include what this route needs."""


class CompanyNeeded(Forbidden):
    """The caller acts for no company."""


class NotYours(NotFound):
    """The object is not there, or belongs to another company."""


FetchKeys = Callable[[], Awaitable[KeySetSerialization]]


class Verifier(Protocol):
    """Turns an access token into a principal."""

    async def verify(self, token: str) -> Principal:
        """Raises TokenInvalid."""
        ...


def principal_of(claims: dict[str, Any]) -> Principal:
    """The principal a verified token speaks of."""
    return Principal(
        subject=UUID(claims["sub"]),
        kind=cast("Kind", claims["kind"]),
        name=claims.get("name", ""),
        company_id=UUID(claims["company_id"]) if claims.get("company_id") else None,
        company_name=claims.get("company_name"),
        group_id=UUID(claims["group_id"]) if claims.get("group_id") else None,
        circle_ids=frozenset(UUID(circle_id) for circle_id in claims.get("circle_ids", ())),
        roles=frozenset(claims.get("roles", ())),
        scopes=frozenset(claims.get("scopes", ())),
    )


def claims_of(principal: Principal) -> dict[str, Any]:
    """The token claims that say who a principal is; `principal_of` reads them back."""
    return {
        "sub": str(principal.subject),
        "kind": principal.kind,
        "name": principal.name,
        "company_id": str(principal.company_id) if principal.company_id else None,
        "company_name": principal.company_name,
        "group_id": str(principal.group_id) if principal.group_id else None,
        "circle_ids": sorted(str(circle_id) for circle_id in principal.circle_ids),
        "roles": sorted(principal.roles),
        "scopes": sorted(principal.scopes),
    }


class TokenVerifier:
    """Verifies tokens offline with the published keys; asks for them again only when an unknown key appears."""

    def __init__(self, *, issuer: str, fetch_keys: FetchKeys) -> None:
        self._registry = jwt.JWTClaimsRegistry(
            leeway=5,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": TOKEN_AUDIENCE},
            exp={"essential": True},
            sub={"essential": True},
            kind={"essential": True, "values": ["person", "client", "service"]},
        )
        self._fetch_keys = fetch_keys
        self._keys: KeySet | None = None
        self._fetched_at = float("-inf")
        self._verified: dict[str, tuple[float, Principal]] = {}

    async def verify(self, token: str) -> Principal:
        """The caller a token names.

        Raises:
            TokenInvalid: see the class.
        """
        known = self._verified.get(token)
        if known is not None and known[0] > time.time():
            return known[1]
        claims = await self._claims(token)
        principal = principal_of(claims)
        if len(self._verified) >= _CACHE_SIZE:
            self._verified.clear()
        self._verified[token] = (float(claims["exp"]), principal)
        return principal

    async def _claims(self, token: str) -> dict[str, Any]:
        for attempt in (1, 2):
            keys = await self._known_keys(refetch=attempt == 2)
            try:
                decoded = jwt.decode(token, keys, algorithms=[ALGORITHM])
                self._registry.validate(decoded.claims)
            except (JoseError, ValueError) as problem:
                unknown_key = isinstance(problem, ValueError) or problem.error == "invalid_key_id"
                if attempt == 1 and unknown_key and time.monotonic() - self._fetched_at > _REFETCH_SECONDS:
                    continue
                raise TokenInvalid(f"The access token is not valid: {problem}.") from problem
            return decoded.claims
        raise AssertionError

    async def _known_keys(self, *, refetch: bool) -> KeySet:
        if self._keys is None or refetch:
            self._keys = KeySet.import_key_set(await self._fetch_keys())
            self._fetched_at = time.monotonic()
        return self._keys


_bearer = HTTPBearer(auto_error=False, description="An access token from `members`.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def identify(request: Request, credentials: Credentials) -> Principal | None:
    """The caller, or None without a token. Kept on the request for logs, sessions and idempotency."""
    principal = None
    if credentials is not None:
        verifier: Verifier = request.app.state.verifier
        principal = await verifier.verify(credentials.credentials)
    request.state.principal = principal
    return principal


async def who_asks(request: Request) -> Principal | None:
    """The same for a request that was refused before its route asked.

    Raises:
        TokenInvalid: see the class.
    """
    return await identify(request, await _bearer(request))


class Requires:
    """A guard: the caller holds one of `roles` or one of `scopes`; with neither named, any token will do."""

    def __init__(self, *, roles: Iterable[Role] = (), scopes: Iterable[Scope] = ()) -> None:
        self.roles = frozenset(roles)
        self.scopes = frozenset(scopes)

    async def __call__(self, principal: Annotated[Principal | None, Depends(identify)]) -> Principal:
        if principal is None:
            raise TokenMissing("Send an access token: `Authorization: Bearer …`.")
        needed = self.roles | self.scopes
        if needed and not (self.roles & principal.roles or self.scopes & principal.scopes):
            raise RightMissing(f"This needs one of: {', '.join(sorted(needed))}.")
        return principal


def same_company(principal: Principal, company_id: UUID, *, what: str = "This") -> None:
    """Let only the company itself pass.

    Raises:
        NotYours: another company asks; it does not learn whether the object exists.
    """
    if principal.company_id != company_id:
        raise NotYours(f"{what} does not exist, or is not yours.")


BUYER_ROLES = (Role.REQUESTER, Role.BUYER, Role.APPROVER, Role.FINANCE, Role.ADMIN)
SUPPLIER_ROLES = (Role.SUPPLIER_SALES, Role.SUPPLIER_FINANCE)
SUPPLIER_SCOPES = (Scope.STOCK_WRITE, Scope.PRICES_WRITE, Scope.ORDERS_READ, Scope.ORDERS_RESPOND)

Visitor = Annotated[Principal | None, Depends(identify)]
Caller = Annotated[Principal, Depends(Requires())]
Buyer = Annotated[Principal, Depends(Requires(roles=BUYER_ROLES))]
Purchaser = Annotated[Principal, Depends(Requires(roles=[Role.BUYER]))]
SupplierCaller = Annotated[Principal, Depends(Requires(roles=SUPPLIER_ROLES, scopes=SUPPLIER_SCOPES))]
SupplierReader = Annotated[Principal, Depends(Requires(roles=[*SUPPLIER_ROLES, Role.ADMIN], scopes=SUPPLIER_SCOPES))]
"""The same and the company's admin, for what is decided or said about the company as a whole."""
StockWriter = Annotated[Principal, Depends(Requires(roles=[Role.SUPPLIER_SALES], scopes=[Scope.STOCK_WRITE]))]
OrderResponder = Annotated[Principal, Depends(Requires(roles=[Role.SUPPLIER_SALES], scopes=[Scope.ORDERS_RESPOND]))]
TradingParty = Annotated[
    Principal,
    Depends(Requires(roles=[*BUYER_ROLES, *SUPPLIER_ROLES], scopes=[Scope.ORDERS_READ, Scope.ORDERS_RESPOND])),
]
CompanyAdmin = Annotated[Principal, Depends(Requires(roles=[Role.ADMIN, Role.OPERATOR]))]
OwnAdmin = Annotated[Principal, Depends(Requires(roles=[Role.ADMIN]))]
"""A company's admin, for what only the company itself decides; the operator's role does not stand in for it."""
Operator = Annotated[Principal, Depends(Requires(roles=[Role.OPERATOR]))]
ListKeeper = Annotated[Principal, Depends(Requires(roles=[Role.APPROVER, Role.ADMIN, Role.OPERATOR]))]
"""Who may put suppliers on a blacklist and take them off: a contractor's own, or, as operator, the official one."""
ListReader = Annotated[Principal, Depends(Requires(roles=[*BUYER_ROLES, Role.OPERATOR]))]
GroupDecider = Annotated[Principal, Depends(Requires(roles=[Role.APPROVER, Role.ADMIN]))]
"""Who decides for a contractor about its own matters; the operator's role does not stand in for it."""
SupplierSpeaker = Annotated[Principal, Depends(Requires(roles=[Role.SUPPLIER_SALES]))]
"""A person who speaks for a supplier; API clients do not."""
FeedReader = Annotated[Principal, Depends(Requires(scopes=[Scope.FEED_READ]))]
Reserver = Annotated[Principal, Depends(Requires(scopes=[Scope.RESERVATIONS_WRITE]))]
VariantResolver = Annotated[
    Principal,
    Depends(
        Requires(
            roles=[*BUYER_ROLES, *SUPPLIER_ROLES, Role.OPERATOR],
            scopes=[Scope.VARIANTS_RESOLVE, Scope.STOCK_WRITE],
        )
    ),
]
MeasurementReader = Annotated[Principal, Depends(Requires(scopes=[Scope.MEASUREMENTS_READ]))]
CompanyReader = Annotated[Principal, Depends(Requires(scopes=[Scope.COMPANIES_READ]))]
CompanyRegistrar = Annotated[Principal, Depends(Requires(scopes=[Scope.COMPANIES_REGISTER]))]
"""A service that takes companies in on the word of two people: legacy suppliers."""
OrderCounter = Annotated[Principal, Depends(Requires(scopes=[Scope.ORDERS_COUNT]))]
"""A service that asks how many orders are open, and learns nothing else about them."""
