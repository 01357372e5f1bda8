"""What must be known before a basket is placed, for many baskets in one query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.arrays import array, quoted
from shared.batching import GroupCommit
from shared.database import Database, transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """About one basket that is asked for."""

    buyer_id: UUID
    key: str
    basket_id: UUID
    project_id: UUID
    delivery_point_id: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredAnswer:
    """What was answered under this Idempotency-Key."""

    request_hash: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What the database says."""

    stored: StoredAnswer | None
    placed_before: bool
    """The basket is there; with no stored answer, that answer has been forgotten by now."""
    project: tuple[str, str, str] | None
    """Number, name, status."""
    delivery_point: tuple[bool, Mapping[str, Any]] | None
    """Whether it is active, and what an order copies of it."""


_READ = """
    SELECT asked.n, k.request_hash, k.status, k.headers, k.body, b.id IS NOT NULL,
        p.number, p.name, p.status, d.active, d.name, d.region, d.address, d.contact_name, d.contact_phone
    FROM unnest(
        CAST(%s AS integer[]), CAST(%s AS uuid[]), CAST(%s AS text[]), CAST(%s AS uuid[]), CAST(%s AS uuid[]),
        CAST(%s AS uuid[])
    ) AS asked (n, buyer_id, key, basket_id, project_id, delivery_point_id)
    LEFT JOIN LATERAL (
        SELECT * FROM idempotency_keys k WHERE k.scope_id = asked.buyer_id AND k.key = asked.key LIMIT 1
    ) k ON true
    LEFT JOIN LATERAL (
        SELECT b.id FROM baskets b WHERE b.buyer_id = asked.buyer_id AND b.id = asked.basket_id LIMIT 1
    ) b ON true
    LEFT JOIN LATERAL (
        SELECT * FROM projects p WHERE p.buyer_id = asked.buyer_id AND p.id = asked.project_id LIMIT 1
    ) p ON true
    LEFT JOIN LATERAL (
        SELECT * FROM delivery_points d
        WHERE d.buyer_id = asked.buyer_id AND d.id = asked.delivery_point_id AND d.project_id = asked.project_id
        LIMIT 1
    ) d ON true
"""


class Reading:
    """One per process. Each batch reads with the scope of exactly its own buyers."""

    def __init__(self, database: Database, *, baskets_at_once: int) -> None:
        self._database = database
        self._questions: GroupCommit[Question, Known] = GroupCommit(self._flush, max_batch=baskets_at_once)

    async def ask(self, question: Question) -> Known:
        """What is known of a basket's key, id, project and delivery point."""
        return await self._questions.submit(question)

    async def _flush(self, questions: Sequence[Question]) -> Sequence[Known | Exception]:
        parameters = (
            array(str(n) for n in range(len(questions))),
            array(str(question.buyer_id) for question in questions),
            array(quoted(question.key) for question in questions),
            array(str(question.basket_id) for question in questions),
            array(str(question.project_id) for question in questions),
            array(str(question.delivery_point_id) for question in questions),
        )
        async with transaction(self._database.app, *{question.buyer_id for question in questions}) as session:
            connection = await session.connection()
            rows = (await connection.exec_driver_sql(_READ, parameters)).all()
        known = {row[0]: _known(row, questions[row[0]]) for row in rows}
        return [known[n] for n in range(len(questions))]


def _known(row: Sequence[Any], question: Question) -> Known:
    _, request_hash, status, headers, body, placed, number, name, project_status, *point = row
    stored = None
    if request_hash is not None:
        stored = StoredAnswer(request_hash=bytes(request_hash), status=status, headers=headers, body=bytes(body))
    active, point_name, region, address, contact_name, contact_phone = point
    delivery = {
        "delivery_point_id": str(question.delivery_point_id),
        "name": point_name,
        "region": region,
        "address": address,
        "contact_name": contact_name,
        "contact_phone": contact_phone,
    }
    return Known(
        stored=stored,
        placed_before=placed,
        project=None if number is None else (number, name, project_status),
        delivery_point=None if active is None else (active, delivery),
    )
