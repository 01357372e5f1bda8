"""Whether proposed changes could be published now; asked when they are proposed, and again when they are approved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.components.evolution import broken_promises, unsound_deprecations
from services.catalog.components.tables import ComponentType
from services.catalog.components.taxonomy import TypeEntry, type_entry
from services.catalog.dictionary import queries
from shared.errors import FieldError


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """A type to deprecate."""

    code: str
    successor: str
    reason: str


@dataclass(kw_only=True, slots=True)
class Checked:
    """The changes in the shape in which they are published, and everything that is wrong with them."""

    entries: list[TypeEntry] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    stored: list[dict[str, Any]] = field(default_factory=list)
    errors: list[FieldError] = field(default_factory=list)

    def fault(self, place: str, rule: str, message: str) -> None:
        """Note one thing that is wrong."""
        self.errors.append(FieldError(field=place, rule=rule, message=message))


async def checked(
    session: AsyncSession, *, changes: Sequence[Mapping[str, Any]], present: Mapping[str, ComponentType]
) -> Checked:
    """The changes, judged against the types as they are now."""
    found = Checked()
    units, categories = await queries.unit_codes(session), await queries.category_keys(session)
    seen: set[str] = set()
    for place, change in enumerate(changes):
        where, body = ("publish", change["publish"]) if "publish" in change else ("deprecate", change["deprecate"])
        at = f"changes.{place}.{where}"
        if body["code"] in seen:
            found.fault(f"{at}.code", "TypeTwice", f"{body['code']} stands in two changes of the proposal.")
        seen.add(body["code"])
        if where == "publish":
            _publication(found, at, body, units=units, categories=categories, before=present.get(body["code"]))
        else:
            found.endings.append(Ending(**body))
            found.stored.append({"deprecate": dict(body)})
    _endings(found, changes, present)
    _relations(found, changes, present)
    return found


def _publication(
    found: Checked,
    at: str,
    body: Mapping[str, Any],
    *,
    units: set[str],
    categories: set[str],
    before: ComponentType | None,
) -> None:
    try:
        entry = type_entry(body, units, categories)
    except (KeyError, TypeError, ValueError) as problem:
        found.fault(at, "TypeUnsound", f"{body['code']}: {problem}")
        return
    promises = unsound_deprecations(entry.definition)
    if before is not None:
        promises += broken_promises(before.definition, entry.definition)
        if before.status != "ACTIVE":
            found.fault(f"{at}.code", "TypeDeprecated", f"{entry.code} is deprecated; a deprecated type stays so.")
        elif before.content_hash == entry.content_hash:
            found.fault(at, "NothingChanged", f"{entry.code} is published with this very content.")
    for broken in promises:
        found.fault(f"{at}.{broken.field}", broken.breach, broken.detail)
    found.entries.append(entry)
    found.stored.append({"publish": dict(entry.definition)})


def _endings(found: Checked, changes: Sequence[Mapping[str, Any]], present: Mapping[str, ComponentType]) -> None:
    """A successor must stand when the proposal is published."""
    ending = {each.code for each in found.endings}
    standing = {code for code, row in present.items() if row.status == "ACTIVE"} | {each.code for each in found.entries}
    places = {body["deprecate"]["code"]: place for place, body in enumerate(changes) if "deprecate" in body}
    for each in found.endings:
        at = f"changes.{places[each.code]}.deprecate"
        row = present.get(each.code)
        if row is None:
            found.fault(f"{at}.code", "UnknownType", f"No component type has the code {each.code}.")
        elif row.status != "ACTIVE":
            found.fault(f"{at}.code", "TypeDeprecated", f"{each.code} is deprecated already.")
        if each.successor in ending:
            found.fault(f"{at}.successor", "SuccessorDeprecated", f"{each.successor} is to be deprecated, too.")
        elif each.successor not in standing:
            found.fault(f"{at}.successor", "SuccessorUnknown", f"{each.successor} is no type in use.")


def _relations(found: Checked, changes: Sequence[Mapping[str, Any]], present: Mapping[str, ComponentType]) -> None:
    known = present.keys() | {each.code for each in found.entries}
    for place, change in enumerate(changes):
        for number, relation in enumerate((change.get("publish") or {}).get("relations") or ()):
            target = relation["target"]
            if "://" not in target and target not in known:
                at = f"changes.{place}.publish.relations.{number}.target"
                found.fault(at, "UnknownType", f"No component type has the code {target}.")
