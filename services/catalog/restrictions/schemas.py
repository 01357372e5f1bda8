"""Bodies of the restricted and banned list."""

from datetime import datetime

from pydantic import Field

from services.catalog.restrictions.rules import Restriction
from services.catalog.standards.schemas import StandardDate
from shared.contracts.catalog import Properties
from shared.contracts.fields import Body, Name, RegionCode, Text
from shared.contracts.standards import RestrictionKind, RestrictionState


class NewRestriction(Body):
    """An entry as its document tells it."""

    kind: RestrictionKind = Field(
        description="`banned`: neither listed nor ordered. `restricted`: listed, but not ordered into its regions."
    )
    type_code: Name = Field(examples=["RB-HRB"])
    properties: Properties = Field(default_factory=dict, description="Only these values; none: the whole type.")
    regions: list[RegionCode] = Field(
        default_factory=list, max_length=500, description="GB/T 2260; none: the whole country."
    )
    from_on: StandardDate
    until_on: StandardDate | None = Field(default=None, description="The last day; none: without end.")
    source: Name = Field(examples=["住建部公告 2021 年第 214 号"])
    text: Text = Field(min_length=1, description="The entry as the document words it.")
    reason: Text = ""

    @property
    def as_rule(self) -> Restriction:
        return Restriction(**{name: getattr(self, name) for name in Restriction.__dataclass_fields__})


class RestrictionChange(Body):
    """What of an entry can be corrected; an entry about other goods, places or days is another entry."""

    until_on: StandardDate | None = Field(default=None, description="The last day; none: without end.")
    text: Text = Field(min_length=1)
    reason: Text = ""


class RestrictionView(RestrictionState):
    """One entry of the list."""

    live: bool = Field(description="Whether it holds on the day asked about.")
    updated_at: datetime


def restriction_view(state: RestrictionState, *, live: bool, updated_at: datetime) -> RestrictionView:
    """An entry for people."""
    return RestrictionView(**state.model_dump(), live=live, updated_at=updated_at)
