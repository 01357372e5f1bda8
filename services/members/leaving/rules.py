"""What keeps a company from leaving, and how long things take (domain.md 3.5 T11)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

NOTICE = timedelta(days=7)
"""After so long the person who asked may confirm alone; before, another admin must."""


@dataclass(frozen=True, kw_only=True)
class Open:
    """What a company has not finished yet."""

    orders_as_buyer: int
    orders_as_supplier: int
    circles: int
    stage_changes: int
    open_categories: int
    companies_below: int


@dataclass(frozen=True, kw_only=True)
class Block:
    """One reason against leaving."""

    field: str
    rule: str
    message: str


def blocks(found: Open) -> list[Block]:
    """Every reason, none left out."""
    told = [
        ("orders_as_buyer", "OpenOrders", found.orders_as_buyer, "purchase orders you bought are still open"),
        ("orders_as_supplier", "OpenOrders", found.orders_as_supplier, "purchase orders you supply are still open"),
        ("circles", "CircleMember", found.circles, "circles count you as a member; leave them first"),
        ("stage_changes", "StageChangeUnderWay", found.stage_changes, "stage changes are under way; revert them first"),
        ("open_categories", "CategoryOpen", found.open_categories, "categories stand beyond S1; close them first"),
        (
            "companies_below",
            "CompaniesBelow",
            found.companies_below,
            "companies stand below yours; end the links first",
        ),
    ]
    return [Block(field=field, rule=rule, message=f"{count} {what}.") for field, rule, count, what in told if count]


def may_confirm(*, asked_by: UUID, confirmed_by: UUID, notice_until: datetime, at: datetime) -> bool:
    """Another person at once; the same one when the notice period is over."""
    return confirmed_by != asked_by or at >= notice_until
