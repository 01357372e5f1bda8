"""What is put on record for the gates: by an operator suites, audits and rules; by the export itself a drill."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.members.companies import queries as company_queries
from services.members.stages import rules
from services.members.stages.rules import EvidenceKind
from services.members.stages.tables import GateEvidence
from shared.clock import business_date
from shared.data_out.jobs import Finished
from shared.errors import FieldError, Unprocessable
from shared.identity import Principal
from shared.ids import new_id

_THE_OTHERS = frozenset({"catalog", "suppliers", "orders"})
_TENANTS = frozenset({"contractor_group", "contractor"})


class EvidenceMalformed(Unprocessable):
    """The state does not fit the kind of evidence, its day lies ahead, or it names a group where none belongs."""


async def put_on_record(
    session: AsyncSession,
    *,
    kind: EvidenceKind,
    state: str,
    group_id: UUID | None,
    on: date,
    reference: str,
    caller: Principal,
    at: datetime,
) -> GateEvidence:
    """Keep what an operator vouches for; the latest of a kind counts, the ones before stay.

    Raises:
        EvidenceMalformed: see the class.
    """
    errors = []
    if state not in rules.EVIDENCE_STATES[kind]:
        known = ", ".join(sorted(rules.EVIDENCE_STATES[kind]))
        errors.append(FieldError(field="state", rule="StateOfKind", message=f"{kind} is one of: {known}."))
    if (kind in rules.OF_ONE_GROUP) != (group_id is not None):
        message = f"Evidence of {EvidenceKind.PUBLIC_TENDER_DUTY} names a group, other evidence does not."
        errors.append(FieldError(field="group_id", rule="OfOneGroup", message=message))
    elif group_id is not None and await company_queries.company(session, company_id=group_id) is None:
        errors.append(FieldError(field="group_id", rule="Exists", message=f"No company has the id {group_id}."))
    if on > business_date(at):
        errors.append(FieldError(field="on", rule="NotAhead", message="What is put on record has happened."))
    if errors:
        raise EvidenceMalformed(errors[0].message, errors=errors)
    evidence = GateEvidence(
        id=new_id(),
        kind=kind,
        state=state,
        group_id=group_id,
        on=on,
        reference=reference,
        recorded_at=at,
        recorded_by=caller.subject,
        company_id=caller.company,
    )
    session.add(evidence)
    await session.flush()
    return evidence


async def drill_done(session: AsyncSession, finished: Finished) -> None:
    """A contractor took all its data out: `passed`, with what proves it, on record without anybody's vouching.

    `members` is asked last, naming the files of the other services; an export of `members` alone is no drill.
    """
    others: dict[str, str] = finished.detail.get("with_exports", {})
    company = await company_queries.company(session, company_id=finished.company_id)
    if company is None or not others.keys() >= _THE_OTHERS or not _TENANTS & set(company.kinds):
        return
    files = {**others, "members": finished.sha256}
    session.add(
        GateEvidence(
            id=new_id(),
            kind=EvidenceKind.EXPORT_DRILL,
            state="passed",
            group_id=None,
            on=business_date(finished.at),
            reference=f"export {finished.export_id}: "
            + ", ".join(f"{service} sha256:{digest}" for service, digest in sorted(files.items())),
            recorded_at=finished.at,
            recorded_by=finished.requested_by,
            company_id=finished.company_id,
        )
    )
    await session.flush()
