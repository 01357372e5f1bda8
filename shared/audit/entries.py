"""The audit log: who did, or tried to do, what, for which company, in which role, and how it ended.

Every command of a signed-in caller leaves one entry in the business transaction; a refused one leaves an entry of
its own after the rollback (`shared.audit.refusals`). An entry belongs to the caller's company, and once more to each
other company whose rows the transaction touched (`shared.database.scope_to`, `concerns`): the owner of a thing sees
who came near it. It names routes and ids, never a body, a query or an error's sentence: no price and no secret.

Entries are written in any order and hashed later, each owner's in one chain (`shared.audit.chain`).
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from fastapi import Request, Response
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock
from shared.identity import Principal

DONE = "done"
COMMANDS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
UNRECORDED = {"x-audit": "none"}
"""`openapi_extra` of routes whose entries would say nothing: a machine that counts stock all day."""
ALWAYS_RECORDED = {"x-audit": "always"}
"""`openapi_extra` of routes that are acts though they read: a look into another's documents."""
OWNERS_MAX = 100
_OWNER_PARAMETERS = ("company_id", "group_id", "supplier_id", "buyer_id", "owner_id")
_TEXT_MAX = 200

_INSERT = text(
    "INSERT INTO audit_entries (owner_id, at, entry) "
    "SELECT owner_id, :at, CAST(:entry AS jsonb) FROM unnest(CAST(:owners AS uuid[])) AS owner_id"
)


def is_recorded(request: Request) -> bool:
    """Whether what this request does is an act: a command, not a question or a machine's stream."""
    route = request.scope.get("route")
    extra = getattr(route, "openapi_extra", None) or {}
    if request.method not in COMMANDS:
        return extra.get("x-audit") == "always"
    return extra.get("x-audit") != "none" and extra.get("x-idempotency") != "exempt"


def _plain(value: object) -> str:
    """Text that jsonb takes and that cannot grow."""
    return "".join(sign for sign in str(value)[:_TEXT_MAX] if sign.isprintable())


def entry_of(
    principal: Principal | None,
    *,
    act: str,
    outcome: str,
    status: int | None = None,
    objects: Mapping[str, object] | None = None,
    request_id: str | None = None,
    detail: Mapping[str, object] | None = None,
    at: datetime,
) -> dict[str, Any]:
    """What is kept of one act; only text and whole numbers, so that it reads back as it was hashed.

    Without a principal it is the service's own worker. `detail` holds what the act itself chose to tell.
    """
    actor: dict[str, str | None] = {"kind": "worker", "id": None, "name": None}
    company: dict[str, str | None] = {"id": None, "name": None}
    if principal is not None:
        actor = {"kind": principal.kind, "id": str(principal.subject), "name": _plain(principal.name)}
        if principal.company_id is not None:
            company = {"id": str(principal.company_id), "name": _plain(principal.company_name or "")}
    return {
        "at": at.astimezone(UTC).isoformat(),
        "actor": actor,
        "company": company,
        "roles": sorted((principal.roles | principal.scopes) if principal else ()),
        "act": act,
        "objects": {name: _plain(value) for name, value in (objects or {}).items()},
        "outcome": outcome,
        "status": status,
        "request_id": request_id,
        "detail": {name: value if isinstance(value, int) else _plain(value) for name, value in (detail or {}).items()},
    }


async def write(session: AsyncSession, entry: Mapping[str, Any], *, owners: Iterable[UUID], at: datetime) -> None:
    """Add the entry to each owner's log, in the caller's transaction."""
    named = sorted(set(owners))[:OWNERS_MAX]
    if named:
        await session.execute(
            _INSERT, {"owners": named, "at": at, "entry": orjson.dumps(entry, option=orjson.OPT_SORT_KEYS).decode()}
        )


async def record(
    session: AsyncSession,
    *,
    caller: Principal | None,
    act: str,
    owners: Iterable[UUID],
    objects: Mapping[str, object] | None = None,
    detail: Mapping[str, object] | None = None,
    request_id: str | None = None,
    at: datetime,
) -> None:
    """Record something done that no command's own entry tells: a look into a case file, a worker's doing."""
    entry = entry_of(caller, act=act, outcome=DONE, objects=objects, detail=detail, request_id=request_id, at=at)
    await write(session, entry, owners=owners, at=at)


def concerns(session: AsyncSession, *company_ids: UUID) -> None:
    """Say whose thing this transaction handles: the entry of its command goes to their logs too."""
    session.info.setdefault("companies", set()).update(company_ids)


def begin(session: AsyncSession, *, request: Request, principal: Principal | None) -> None:
    """Remember the transaction in which a command's entry is to stand."""
    if principal is not None and principal.company_id is not None and is_recorded(request):
        request.state.audited = (session, principal)


def named_in(request: Request) -> set[UUID]:
    """The companies that the address names."""
    found = set()
    for name in _OWNER_PARAMETERS:
        value = request.path_params.get(name)
        try:
            if value is not None:
                found.add(UUID(str(value)))
        except ValueError:
            continue
    return found


def owners_of(session: AsyncSession | None, *, principal: Principal, named: Iterable[UUID] = ()) -> set[UUID]:
    """The caller's company, those the address names and those whose rows the transaction touched."""
    touched: set[UUID] = set() if session is None else session.info.get("companies", set())
    # A caller without a company is scoped to itself; that is no company's log.
    foreign = {each for each in (*touched, *named) if each != principal.subject}
    return foreign | ({principal.company_id} if principal.company_id is not None else set())


def act_of(request: Request) -> str:
    """Method and address pattern; what stands in the pattern's place is kept apart."""
    route = request.scope.get("route")
    return f"{request.method} {getattr(route, 'path', _plain(request.url.path))}"


async def finish(request: Request, response: Response) -> None:
    """Add the entry of a command that was done to the transaction that holds its effect."""
    audited: tuple[AsyncSession, Principal] | None = getattr(request.state, "audited", None)
    if audited is None:
        return
    session, principal = audited
    made = response.headers.get("location")
    at = clock.now()
    entry = entry_of(
        principal,
        act=act_of(request),
        outcome=DONE,
        status=response.status_code,
        objects={**request.path_params, **({"made": made} if made else {})},
        request_id=getattr(request.state, "request_id", None),
        at=at,
    )
    await write(session, entry, owners=owners_of(session, principal=principal), at=at)
