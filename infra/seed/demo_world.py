"""The demonstration world as data: who takes part, what is listed; see demo-world.yaml."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

FOLDER = Path(__file__).parent
MATERIAL_LIST = FOLDER / "material-list.csv"
TAXONOMY = FOLDER / "taxonomy.yaml"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Person(_Record):
    """Someone who signs in; the password is made at seeding."""

    email: str
    name: str
    roles: list[str]


class DeliveryPoint(_Record):
    """Where a project takes goods."""

    name: str
    address: str
    region: str


class Project(_Record):
    """A building site."""

    number: str
    name: str
    delivery_points: list[DeliveryPoint]


class Contractor(_Record):
    """A company that buys."""

    tax_id: str
    name: str
    short: str
    people: list[Person]
    projects: list[Project]


class Supplier(_Record):
    """A company that sells, and which types of the price book it carries in the generated file."""

    tax_id: str
    name: str
    short: str
    contact: str
    admin: str | None = None
    """Who gives consents, hands in papers and looks after webhooks, where there is somebody."""
    categories: list[str]
    regions: list[str]
    stock_points: list[str]
    items: list[str]
    share: int

    @property
    def people(self) -> list[Person]:
        """One answers orders; where there is an admin, that one speaks for the company."""
        people = [Person(email=f"sales@{self.short}.example", name=self.contact, roles=["supplier_sales"])]
        if self.admin is not None:
            people.append(Person(email=f"admin@{self.short}.example", name=self.admin, roles=["admin"]))
        return people


class Listing(_Record):
    """An offer that is there before any file is synchronised, with its stock; the fields are those of the API."""

    supplier: str
    item_no: str
    variant: str
    brand: str
    stock_point: str | None = None
    on_hand: str | None = None
    price: str
    tax_rate: str
    tax_inclusive: bool
    unit: str
    min_quantity: str
    step_quantity: str
    lead_time_days: int
    regions: list[str]
    audience: str
    meant_for: list[str] = []

    def terms(self, *, audience_ids: list[str]) -> dict[str, Any]:
        """The offer as `POST /suppliers/offers` takes it."""
        own = self.model_dump(exclude={"supplier", "variant", "on_hand", "meant_for"})
        return own | {"variant": {"key": self.variant}, "audience_ids": audience_ids}


class World(_Record):
    """Everything in demo-world.yaml."""

    operators: list[Person]
    """Beside the first one: what an operator proposes another decides."""
    contractors: list[Contractor]
    suppliers: list[Supplier]
    listings: list[Listing]

    def supplier(self, short: str) -> Supplier:
        """The supplier of that short name."""
        return next(supplier for supplier in self.suppliers if supplier.short == short)


@cache
def seed_document(file: Path) -> dict[str, Any]:
    """A YAML document of this folder, read by the C parser where there is one."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with file.open(encoding="utf-8") as stream:
        document: dict[str, Any] = yaml.load(stream, Loader=loader)  # noqa: S506 - both loaders are the safe one
    return document


@cache
def demo_world() -> World:
    """The world of demo-world.yaml."""
    return World.model_validate(seed_document(FOLDER / "demo-world.yaml"))
