"""Whether what somebody names is a category of the catalog."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.register import queries
from shared.errors import FieldError, Unprocessable


class UnknownCategory(Unprocessable):
    """The catalog has no such category; GET /catalog/categories lists them."""


async def check_categories(session: AsyncSession, categories: Iterable[str]) -> None:
    """Let pass what the catalog has; also everything as long as it has told nothing yet.

    Raises:
        UnknownCategory: `errors` names each.
    """
    unknown = await queries.unknown_categories(session, categories=categories)
    if unknown:
        errors = [
            FieldError(field="categories", rule="UnknownCategory", message=f"{each[:60]!r} is none of the catalog's.")
            for each in unknown
        ]
        raise UnknownCategory(f"The catalog has no category {unknown[0][:60]!r}.", errors=errors)
