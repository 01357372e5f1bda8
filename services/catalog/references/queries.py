"""Reading reference dictionaries, and finding which of our types a class may be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.catalog.references.rules import entities_in_common, plain_entity
from services.catalog.references.tables import (
    ReferenceClass,
    ReferenceClassProperty,
    ReferenceClassRelation,
    ReferenceDictionary,
    ReferenceLink,
    ReferenceProperty,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """A class that may be one of our types, and the IFC entities that say so."""

    class_code: str
    class_name: str
    type_code: str
    type_name_zh: str
    via: Sequence[str]


async def dictionaries(session: AsyncSession) -> Sequence[ReferenceDictionary]:
    """All of them: by organization, code and language, the version imported last first."""
    rows = await session.scalars(
        select(ReferenceDictionary).order_by(
            col(ReferenceDictionary.organization),
            col(ReferenceDictionary.code),
            col(ReferenceDictionary.language),
            col(ReferenceDictionary.id).desc(),
        )
    )
    return rows.all()


async def dictionary(session: AsyncSession, *, dictionary_id: UUID) -> ReferenceDictionary | None:
    """One of them."""
    return await session.get(ReferenceDictionary, dictionary_id)


async def same_version(session: AsyncSession, *, head: Mapping[str, Any]) -> UUID | None:
    """The id of the dictionary with this name, version and language."""
    found: UUID | None = await session.scalar(
        select(col(ReferenceDictionary.id)).where(
            func.lower(col(ReferenceDictionary.organization)) == head["organization"].lower(),
            func.lower(col(ReferenceDictionary.code)) == head["code"].lower(),
            col(ReferenceDictionary.version) == head["version"],
            func.lower(col(ReferenceDictionary.language)) == head["language"].lower(),
        )
    )
    return found


async def class_by_code(session: AsyncSession, *, dictionary_id: UUID, code: str) -> ReferenceClass | None:
    """A class, whatever the case of its code."""
    rows = await session.scalars(
        select(ReferenceClass).where(
            col(ReferenceClass.dictionary_id) == dictionary_id,
            func.lower(col(ReferenceClass.code)) == code.strip().lower(),
        )
    )
    return rows.one_or_none()


async def classes_page(
    session: AsyncSession,
    *,
    dictionary_id: UUID,
    code: str | None,
    words: str | None,
    parent: str | None,
    top: bool,
    ifc: str | None,
    after: int | None,
    limit: int,
) -> Sequence[ReferenceClass]:
    """Classes that fit every filter, in the dictionary's order, one more than `limit`."""
    query = (
        select(ReferenceClass)
        .where(col(ReferenceClass.dictionary_id) == dictionary_id)
        .order_by(col(ReferenceClass.sort))
        .limit(limit + 1)
    )
    if code is not None:
        query = query.where(func.lower(col(ReferenceClass.code)).startswith(code.lower(), autoescape=True))
    if words is not None:
        query = query.where(
            col(ReferenceClass.name).icontains(words, autoescape=True)
            | col(ReferenceClass.definition).icontains(words, autoescape=True)
        )
    if parent is not None:
        query = query.where(func.lower(col(ReferenceClass.parent_code)) == parent.lower())
    if top:
        query = query.where(col(ReferenceClass.parent_code).is_(None))
    if ifc is not None:
        query = query.where(col(ReferenceClass.related_ifc).any_() == ifc)
    if after is not None:
        query = query.where(col(ReferenceClass.sort) > after)
    return (await session.scalars(query)).all()


async def ancestors(session: AsyncSession, *, dictionary_id: UUID, code: str) -> Sequence[str]:
    """Codes above a class, the nearest first."""
    rows = await session.scalars(
        text(
            """
            WITH RECURSIVE above AS (
                SELECT parent_code, 1 AS step FROM reference_classes WHERE dictionary_id = :id AND code = :code
                UNION ALL
                SELECT c.parent_code, a.step + 1 FROM above a
                JOIN reference_classes c ON c.dictionary_id = :id AND c.code = a.parent_code
                WHERE a.step < 100
            )
            SELECT parent_code FROM above WHERE parent_code IS NOT NULL ORDER BY step
            """
        ),
        {"id": dictionary_id, "code": code},
    )
    return rows.all()


async def class_properties(
    session: AsyncSession, *, dictionary_id: UUID, code: str
) -> Sequence[tuple[ReferenceClassProperty, ReferenceProperty | None]]:
    """A class's properties with what the dictionary says of them. A child does not inherit its parent's."""
    rows = await session.execute(
        select(ReferenceClassProperty, ReferenceProperty)
        .outerjoin(
            ReferenceProperty,
            (col(ReferenceProperty.dictionary_id) == col(ReferenceClassProperty.dictionary_id))
            & (col(ReferenceProperty.code) == col(ReferenceClassProperty.property_code)),
        )
        .where(
            col(ReferenceClassProperty.dictionary_id) == dictionary_id,
            col(ReferenceClassProperty.class_code) == code,
        )
        .order_by(col(ReferenceClassProperty.place))
    )
    return [(own, general) for own, general in rows]


async def class_relations(session: AsyncSession, *, dictionary_id: UUID, code: str) -> Sequence[ReferenceClassRelation]:
    """What a class says of others."""
    rows = await session.scalars(
        select(ReferenceClassRelation)
        .where(
            col(ReferenceClassRelation.dictionary_id) == dictionary_id,
            col(ReferenceClassRelation.class_code) == code,
        )
        .order_by(col(ReferenceClassRelation.place))
    )
    return rows.all()


async def links_of_class(session: AsyncSession, *, dictionary_id: UUID, code: str) -> Sequence[ReferenceLink]:
    """Our types that a class is, as operators decided."""
    rows = await session.scalars(
        select(ReferenceLink)
        .where(
            col(ReferenceLink.dictionary_id) == dictionary_id,
            col(ReferenceLink.class_code) == code,
            col(ReferenceLink.decision) == "ACCEPTED",
        )
        .order_by(col(ReferenceLink.type_code))
    )
    return rows.all()


async def link_for_update(
    session: AsyncSession, *, dictionary_id: UUID, class_code: str, type_code: str
) -> ReferenceLink | None:
    """One decision, locked."""
    return await session.get(ReferenceLink, (dictionary_id, class_code, type_code), with_for_update=True)


async def ifc_codes_of_types(
    session: AsyncSession, *, type_codes: Sequence[str] | None = None
) -> Mapping[str, list[str]]:
    """The IFC codes of types in use (of these, or of all), by type; a type without any has an empty list."""
    rows = await session.execute(
        text(
            "SELECT t.code, array_remove(array_agg(c.code ORDER BY c.relation DESC, c.code), NULL) AS ifc "
            "FROM component_types t LEFT JOIN classification_codes c "
            "ON c.type_code = t.code AND c.system = 'IFC' AND c.retired_at IS NULL "
            "WHERE t.status = 'ACTIVE' AND (CAST(:codes AS text[]) IS NULL OR t.code = ANY (CAST(:codes AS text[]))) "
            "GROUP BY t.code"
        ),
        {"codes": None if type_codes is None else list(type_codes)},
    )
    return {row.code: list(row.ifc) for row in rows}


async def suggestions(
    session: AsyncSession,
    *,
    dictionary_id: UUID,
    type_code: str | None,
    after: tuple[str, str] | None,
    limit: int,
) -> Sequence[Suggestion]:
    """Undecided pairs of class and type that share an IFC entity, by class and type, one more than `limit`."""
    types = await ifc_codes_of_types(session, type_codes=None if type_code is None else [type_code.upper()])
    pairs = [(code, plain_entity(each).lower()) for code, ifc in types.items() for each in ifc]
    rows = await session.execute(
        text(
            """
            SELECT DISTINCT c.code AS class_code, c.name, c.related_ifc, t.code AS type_code, t.name_zh
            FROM reference_classes c
            CROSS JOIN LATERAL unnest(c.related_ifc) AS related
            JOIN unnest(CAST(:types AS text[]), CAST(:entities AS text[])) AS ours (type_code, entity)
                ON ours.entity = lower(regexp_replace(split_part(related, '.', 1), '(StandardCase|ElementedCase)$', ''))
            JOIN component_types t ON t.code = ours.type_code
            WHERE c.dictionary_id = :id AND c.status = 'Active'
                AND (CAST(:after AS text) IS NULL OR (c.code, t.code) > (CAST(:after AS text), CAST(:then AS text)))
                AND NOT EXISTS (
                    SELECT FROM reference_links l
                    WHERE l.dictionary_id = :id AND l.class_code = c.code AND l.type_code = t.code
                )
            ORDER BY c.code, t.code
            LIMIT :limit
            """
        ),
        {
            "id": dictionary_id,
            "types": [code for code, _ in pairs],
            "entities": [entity for _, entity in pairs],
            "after": after[0] if after else None,
            "then": after[1] if after else None,
            "limit": limit + 1,
        },
    )
    return [
        Suggestion(
            class_code=row.class_code,
            class_name=row.name,
            type_code=row.type_code,
            type_name_zh=row.name_zh,
            via=entities_in_common(row.related_ifc, types[row.type_code]),
        )
        for row in rows
    ]
