"""Requests made up from a service's own OpenAPI document: well-formed ones, about somebody else's things.

A stranger who has read the description and guessed every id can send these. Fields are filled by name with what is
the victim's, else by the shape that the description asks for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI

from shared.ids import new_id

PATTERNS = {
    "^[A-Z]{3}$": "CNY",
    "^[0-9]{2}([0-9]{4})?$": "110105",
    "^[0-9a-f]{64}$": "ab" * 32,
    "^[a-z0-9_]{1,60}$": "finishes_misc",
    "^[a-z][a-z0-9_]{1,59}$": "finishes_misc",
    "^[0-9A-Z]{15,20}$": "91320500MA2DEMQ7X8",
    "^[0-9A-Za-z]{5,30}$": "11010519491231002X",
}
"""A value for each pattern that plain words do not meet."""
DEEPEST = 8


@dataclass(frozen=True)
class Operation:
    """One method of one address, as described."""

    service: str
    method: str
    path: str
    query: tuple[str, ...]
    media: str | None
    """What the body is; None for no body."""
    schema: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def operations_of(service: str, app: FastAPI) -> Iterator[Operation]:
    """Everything the service says that it can be asked."""
    for path, methods in app.openapi()["paths"].items():
        for method, described in methods.items():
            content = described.get("requestBody", {}).get("content", {})
            media = next(iter(content), None)
            yield Operation(
                service=service,
                method=method.upper(),
                path=path,
                query=tuple(each["name"] for each in described.get("parameters", ()) if each["in"] == "query"),
                media=media,
                schema=content[media].get("schema", {}) if media else {},
            )


class Filler:
    """Fills a schema of one document."""

    def __init__(self, app: FastAPI, known: dict[str, str]) -> None:
        self._schemas = app.openapi().get("components", {}).get("schemas", {})
        self._known = known

    def value(self, schema: dict[str, Any], name: str = "", depth: int = 0) -> Any:
        """A value the schema takes, as far as a schema tells; the victim's, where the name is one of its things."""
        if "$ref" in schema:
            return self.value(self._schemas[schema["$ref"].rsplit("/", 1)[1]], name, depth)
        several = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if several:
            return self.value(several[0], name, depth)
        if "const" in schema or "enum" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        match schema.get("type"):
            case "object":
                return self._object(schema, depth)
            case "array":
                return [self.value(schema.get("items", {}), name.removesuffix("s"), depth + 1)]
            case "string":
                return self._string(schema, name)
            case plain:
                one = max(int(schema.get("minimum", 1)), 1)
                return {"integer": one, "number": one, "boolean": True}.get(str(plain))

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        needed = set(schema.get("required", ()))
        return {
            name: self.value(part, name, depth + 1)
            for name, part in schema.get("properties", {}).items()
            if name in needed or (depth < DEEPEST and name in self._known)
        }

    def _string(self, schema: dict[str, Any], name: str) -> str:
        if name in self._known:
            return self._known[name]
        later = datetime.now(UTC) + timedelta(days=30)
        match schema.get("format"):
            case "uuid":
                return str(new_id())
            case "date":
                return later.date().isoformat()
            case "date-time":
                return later.isoformat()
            case _:
                example: str = (schema.get("examples") or ["forged"])[0]
                return PATTERNS.get(schema.get("pattern", ""), str(example))
