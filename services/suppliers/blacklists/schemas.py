"""Bodies of the blacklist routes."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from services.suppliers.blacklists.rules import AppealStatus, EntryStatus, Level, ProposalStatus, ReasonClass
from shared.contracts.fields import Answer, Body, CalendarDate, Name, RegionCode, Text

Reason = Annotated[Text, Field(min_length=5, examples=["Three batches of rebar failed the tensile test in June."])]
TaxIdText = Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"^[0-9A-Z]{15,20}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
IdNumber = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9A-Za-z]{5,30}$")]


class Person(Body):
    """A legal representative. Neither number nor name is kept, only a keyed hash of both."""

    id_number: IdNumber = Field(examples=["11010519491231002X"])
    name: Name = Field(examples=["张三"])


class EntryTerms(Body):
    """What an entry forbids and why. Empty lists mean everything; the last day counts."""

    level: Level
    categories: list[Name] = Field(default_factory=list, max_length=100, examples=[["rebar"]])
    regions: list[RegionCode] = Field(default_factory=list, max_length=500, description="GB/T 2260.")
    project_ids: list[UUID] = Field(default_factory=list, max_length=500)
    expires_on: CalendarDate = Field(description="The last day. Every entry has one.")
    reason_class: ReasonClass = Field(description="All that others learn of the reason.")
    reason: Reason = Field(description="The owner and the listed supplier read it.")
    evidence: Text | None = Field(default=None, min_length=1, description="Where the evidence is found.")
    evidence_sha256: Sha256 | None = Field(default=None, description="Of the evidence file, hex.")

    @model_validator(mode="after")
    def _is_proven(self) -> Self:
        if self.evidence is None and self.evidence_sha256 is None:
            message = "an entry needs evidence: a reference or the hash of a file"
            raise ValueError(message)
        return self


class NewEntry(EntryTerms):
    """Put a company or a legal representative on the list; name exactly one."""

    supplier_id: UUID | None = None
    tax_id: TaxIdText | None = Field(default=None, description="Also of a company that is not registered yet.")
    representative: Person | None = None
    name: Name | None = Field(default=None, description="Of a company that is not registered yet.")
    starts_on: CalendarDate | None = Field(default=None, description="Today if none.")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if sum(each is not None for each in (self.supplier_id, self.tax_id, self.representative)) != 1:
            message = "name one of supplier_id, tax_id and representative"
            raise ValueError(message)
        return self


class OfficialEntry(NewEntry):
    """The same for everybody, from an official list."""

    source: Name = Field(examples=["信用中国 失信被执行人 2026-11"])


class EntryChange(EntryTerms):
    """What the entry shall say from now on, whole. The day it began stays."""

    why: Reason


class LiftAsked(Body):
    """Ask that an entry end now."""

    why: Reason


class ProposalDecision(Body):
    """Yes or no to what another person asked for."""

    decision: Literal["approve", "reject"]
    note: Text | None = None


class AppealFiled(Body):
    """Why an entry about oneself is wrong."""

    text: Reason
    evidence: Text | None = None


class AppealAnswered(Body):
    """The owner's answer; `grant` lifts the entry."""

    decision: Literal["grant", "decline"]
    answer: Reason


class ProposalView(Answer):
    """A wish to lift or soften an entry."""

    id: UUID
    lift: bool
    after: dict[str, Any] | None
    why: str
    status: ProposalStatus
    asked_by: UUID
    asked_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    note: str | None


class AppealView(Answer):
    """An appeal and its answer, as the owner and the supplier read it."""

    id: UUID
    entry_id: UUID
    supplier_id: UUID
    text: str
    evidence: str | None
    status: AppealStatus
    filed_at: datetime
    answer: str | None
    answered_at: datetime | None


class ReducedEntry(Answer):
    """What other groups may know: the fact, the class of reason, the expiry. Each decides itself what follows."""

    entry_id: UUID
    owner_id: UUID = Field(description="The contractor group; all zeros: official.")
    source: str | None
    supplier_id: UUID | None
    tax_id: str | None
    subject_name: str
    reason_class: ReasonClass
    starts_on: date
    expires_on: date


class ListedEntry(Answer):
    """An entry as the listed supplier reads it."""

    id: UUID
    owner_id: UUID = Field(description="The contractor group; all zeros: official.")
    source: str | None = Field(description="The official list it was taken from.")
    subject_kind: str
    subject_name: str
    level: Level
    reason_class: ReasonClass
    reason: str
    evidence: str | None
    evidence_sha256: str | None
    categories: list[str]
    regions: list[str]
    project_ids: list[UUID]
    starts_on: date
    expires_on: date
    status: EntryStatus
    listed_at: datetime
    updated_at: datetime


class EntryAboutUs(ListedEntry):
    """The same with what the supplier said against it, and where to."""

    appeal_at: str = Field(description="POST an appeal there.", examples=["/suppliers/blacklist/entries/…/appeals"])
    appeals: list[AppealView]


class EntryView(ListedEntry):
    """An entry as its owner reads it."""

    supplier_id: UUID | None
    tax_id: str | None
    listed_by: UUID
    version: int


class EntryRecord(EntryView):
    """An entry with what is asked and said about it."""

    supplier_ids: list[UUID] = Field(description="The registered suppliers it is about now.")
    proposal: ProposalView | None = Field(description="What another person has to decide.")
    appeals: list[AppealView]


class ChangeAnswer(Answer):
    """What became of a change: it counts already, or it waits for a second person."""

    applied: bool
    entry: EntryView
    proposal: ProposalView | None


class StepView(Answer):
    """One step of an entry's history."""

    seq: int
    entry: dict[str, Any]
    hash: str = Field(description="SHA-256 of the hash before (32 zero bytes first) and the canonical entry, hex.")


class EntryHistory(Answer):
    """The whole history of an entry and whether its hash chain holds."""

    intact: bool
    fault: str | None
    steps: list[StepView]
