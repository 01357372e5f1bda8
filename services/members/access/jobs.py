"""Work on access that no caller asks for: our own services' clients, fresh keys, and forgetting what is over."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.members.access import actions, client_actions
from services.members.people import attempts
from shared import idempotency
from shared.database import Sessions, transaction


async def ensure_service_client(
    sessions: Sessions, *, client_id: str, client_secret: str, name: str, scopes: Sequence[str], at: datetime
) -> None:
    """Make one of our own services known with the id and secret it has in its environment.

    `sessions` are the worker's (`Database.system`). Repeating it changes nothing; another secret or other scopes
    replace the ones before.

    Raises:
        ValueError: the secret is shorter than 32 characters, or a scope is not one for services.
    """
    async with transaction(sessions) as session:
        await client_actions.ensure_service_client(
            session, client_id=client_id, client_secret=client_secret, name=name, scopes=list(scopes), at=at
        )


async def rotate_old_signing_key(sessions: Sessions, *, oldest: timedelta, at: datetime) -> None:
    """Sign with a new key when the present one is older than `oldest`."""
    async with transaction(sessions) as session:
        await actions.rotate_signing_key(session, older_than=at - oldest, at=at)


async def prune(sessions: Sessions, *, attempt_window: timedelta, at: datetime) -> None:
    """Forget sessions, keys, invitations, counted attempts and idempotent answers that are over."""
    async with transaction(sessions) as session:
        await actions.prune(session, at=at)
        await attempts.prune(session, before=at - attempt_window)
        await idempotency.prune(session)
