"""Work on components that no caller asks for: publishing the taxonomy we ship."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.catalog.components import actions
from services.catalog.components.actions import Published
from shared.database import Sessions, transaction


async def load_taxonomy(sessions: Sessions, *, document: Mapping[str, Any], at: datetime) -> Published:
    """Publish a taxonomy document, parsed from its YAML by the caller. Repeating it changes nothing.

    `sessions` are the worker's (`Database.system`).

    Raises:
        TaxonomyError: the document breaks its own rules; nothing was changed.
    """
    async with transaction(sessions) as session:
        return await actions.load_taxonomy(session, document=document, at=at)
