"""HTTP of what belongs to no one group: all stages for our own services, and the record the gates read."""

from decimal import Decimal
from uuid import UUID

from fastapi import Response

from services.members.companies import neutrality
from services.members.companies.schemas import AffiliateView, NeutralityRecord, OperatorView
from services.members.dependencies import AfterId
from services.members.stages import queries
from services.members.stages.evidence import EvidenceMalformed, put_on_record
from services.members.stages.schemas import EvidenceGiven, EvidenceView
from shared.clock import business_date
from shared.contracts.members import StageView
from shared.contracts.metrics import MetricId, MetricValue
from shared.database import ReadSession, SystemSession, WriteSession
from shared.errors import refusals
from shared.http import Now
from shared.http import router as house_router
from shared.identity import Caller, CompanyReader, Operator
from shared.paging import CursorInvalid, PageQuery

router = house_router("/members", tag="stages")


@router.get("/stages", summary="Every stage, for services", responses=refusals(CursorInvalid))
async def list_stages(
    *,
    _: CompanyReader,
    session: SystemSession,
    paging: PageQuery,
    response: Response,
    group_id: UUID | None = None,
) -> list[StageView]:
    """By group and category; pairs that are not listed are at S1. The feed tells each change
    (`dev.dougong.members.stage.changed.v1`), so a service that follows it needs this only to begin."""
    after = paging.after_as(UUID, str)
    found = await queries.stages_page_anywhere(
        session, group_id=group_id, limit=paging.limit, after=None if after is None else (after[0], after[1])
    )
    shown = paging.page(found, response, key=lambda stage: [stage.group_id, stage.category])
    return [StageView.model_validate(stage) for stage in shown]


@router.get("/metrics", summary="How open the marketplace is")
async def openness(_: Caller, session: SystemSession, now: Now) -> list[MetricValue]:
    """M15 (domain.md 3.6), now: by category the share of contractor groups that have opened it to a circle (S2) and to
    the market (S3). Categories that nobody opened are not listed."""
    groups, opened = await queries.openness_anywhere(session)
    return [
        MetricValue(
            metric=MetricId.OPENNESS,
            name=f"groups at {stage}",
            month=f"{business_date(now):%Y-%m}",
            category=category,
            stage=stage,
            value=(Decimal(count) / groups).quantize(Decimal("0.0001")) if groups else None,
            unit="share",
            good="up",
            cases=groups,
            reason=None if groups else "no contractor group takes part",
        )
        for category, stage, count in opened
    ]


@router.post("/gate-evidence", status_code=201, summary="Put evidence on record", responses=refusals(EvidenceMalformed))
async def put_evidence(body: EvidenceGiven, caller: Operator, session: WriteSession, now: Now) -> EvidenceView:
    """What the gates need and no service measures: a run of the confidentiality suite, an audit, rules published, the
    operator's neutrality, a full export by a tenant, a group's duty to tender in public. The latest of a kind counts;
    nothing is changed or removed."""
    evidence = await put_on_record(
        session,
        kind=body.kind,
        state=body.state,
        group_id=body.group_id,
        on=body.on,
        reference=body.reference,
        caller=caller,
        at=now,
    )
    return EvidenceView.model_validate(evidence)


@router.get("/gate-evidence", summary="Evidence on record", responses=refusals(CursorInvalid))
async def list_evidence(
    _: Operator, session: ReadSession, paging: PageQuery, after: AfterId, response: Response
) -> list[EvidenceView]:
    """Everything ever put on record, oldest first."""
    found = await queries.evidence_page(session, limit=paging.limit, after=after)
    shown = paging.page(found, response, key=lambda evidence: [evidence.id])
    return [EvidenceView.model_validate(evidence) for evidence in shown]


@router.get("/neutrality", summary="Does anybody who operates trade?")
async def neutrality_record(_: Caller, session: SystemSession, now: Now) -> NeutralityRecord:
    """Computed from companies, links and roles as they stand, for everybody who takes part to see."""
    found = await neutrality.record_anywhere(session, at=now)
    return NeutralityRecord(
        neutral=found.neutral,
        open_spaces=found.open_spaces,
        people_with_both=found.people_with_both,
        operators=[
            OperatorView(company_id=company.id, name=company.name, trades_as=kinds)
            for company, kinds in found.operators
        ],
        affiliates=[
            AffiliateView(company_id=company.id, name=company.name, operator_id=operator)
            for company, operator in found.affiliates
        ],
    )
