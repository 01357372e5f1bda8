"""Tells the demonstration world to the running services, through the API that everyone uses.

Every step asks first or carries a fixed Idempotency-Key, so a second start finds all there and changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.api import Api, Refused
from infra.credentials import Credentials, SignIn, SupplierKey, new_password
from infra.registration import admit_supplier, qualify_supplier, register_company
from infra.seed.demo_world import Contractor, Listing, Person, Supplier, World, demo_world
from infra.signin import ClientTokens, PersonTokens
from shared import clock

SUPPLIER_SCOPES = ["stock:write", "prices:write", "orders:read", "orders:respond"]


def seed_demo_world(
    api: Api, credentials: Credentials, *, save: Callable[[], None], say: Callable[[str], None]
) -> None:
    """Make what is missing of the world; `save` keeps each password and key as soon as it is known.

    Raises:
        Refused, Unreachable: what `Api.call` raises.
    """
    world = demo_world()
    assert credentials.operator is not None  # noqa: S101 - the foundation made it
    operator = api.signed_in(PersonTokens(api, credentials.operator))
    say("Telling the demonstration world to the services …")
    companies: list[Contractor | Supplier] = [*world.contractors, *world.suppliers]
    ids = {company.short: _company(operator, company) for company in companies}
    people = [
        (person, _Employer.of(company, company_id=ids[company.short]))
        for company in companies
        for person in company.people
    ]
    people += [(person, _operators_company(operator, credentials.operator)) for person in world.operators]
    for person, employer in people:
        _person(api, operator, credentials, person=person, employer=employer)
        save()
    for supplier in world.suppliers:
        _supplier(operator, supplier, company_id=ids[supplier.short])
        _key(operator, credentials, supplier=supplier, company_id=ids[supplier.short])
        save()
        for contractor in world.contractors:
            admit_supplier(
                operator,
                group_id=ids[contractor.short],
                supplier_id=ids[supplier.short],
                categories=supplier.categories,
                reason="Sample test and site visit passed.",
            )
    for contractor in world.contractors:
        buyer = credentials.people[contractor.people[0].email]
        _projects(api.signed_in(PersonTokens(api, buyer)), contractor)
    _listings(api, credentials, world=world, ids=ids, at=clock.now())


def _company(operator: Api, company: Contractor | Supplier) -> str:
    kind = "contractor" if isinstance(company, Contractor) else "supplier"
    return register_company(operator, tax_id=company.tax_id, name=company.name, kind=kind)


@dataclass(frozen=True, kw_only=True)
class _Employer:
    """The company somebody acts for."""

    id: str
    name: str
    tax_id: str

    @classmethod
    def of(cls, company: Contractor | Supplier, *, company_id: str) -> "_Employer":
        return cls(id=company_id, name=company.name, tax_id=company.tax_id)


def _operators_company(operator: Api, known: SignIn) -> _Employer:
    company_id = str(operator.get("/members/me").body["company"]["id"])
    return _Employer(id=company_id, name=known.company, tax_id=known.tax_id)


def _person(api: Api, operator: Api, credentials: Credentials, *, person: Person, employer: _Employer) -> None:
    """Invite and accept with a fresh password; a person whose password got lost receives a new one."""
    if person.email in credentials.people:
        return
    sign_in = SignIn(
        email=person.email,
        password=new_password(),
        name=person.name,
        company=employer.name,
        tax_id=employer.tax_id,
        roles=person.roles,
    )
    body = {"email": person.email, "name": person.name, "roles": person.roles}
    path = f"/members/companies/{employer.id}/people"
    try:
        invited = operator.post(path, body, key=f"demo/person/{person.email}/{sign_in.password}").body
        token = invited["invitation_token"]
        api.post("/members/invitations/accept", {"token": token, "password": sign_in.password})
    except Refused as problem:
        if problem.code != "AlreadyMember":
            raise
        known = next(entry for entry in operator.pages(path) if entry["email"] == person.email)
        password = {"password": sign_in.password}
        operator.call("PUT", f"/members/people/{known['person_id']}/password", json=password)
    credentials.people[person.email] = sign_in


def _key(operator: Api, credentials: Credentials, *, supplier: Supplier, company_id: str) -> None:
    """An API client as the supplier's ERP would hold it; its secret is shown once, so a lost one is replaced."""
    known = credentials.suppliers.get(supplier.tax_id)
    if known is not None and known.company_id == company_id:
        return
    path = f"/members/companies/{company_id}/api-clients"
    key = f"demo/key/{supplier.tax_id}/{new_password()}"
    made = operator.post(path, {"name": "ERP", "scopes": SUPPLIER_SCOPES}, key=key).body
    credentials.suppliers[supplier.tax_id] = SupplierKey(
        client_id=made["client_id"],
        client_secret=made["client_secret"],
        name=supplier.name,
        tax_id=supplier.tax_id,
        company_id=company_id,
    )


def _supplier(operator: Api, supplier: Supplier, *, company_id: str) -> None:
    qualify_supplier(
        operator, company_id=company_id, categories=supplier.categories, regions=supplier.regions, until=None
    )


def _projects(buyer: Api, contractor: Contractor) -> None:
    known = {project["number"] for project in buyer.pages("/orders/projects")}
    for project in contractor.projects:
        if project.number not in known:
            buyer.post("/orders/projects", project.model_dump(), key=f"demo/project/{project.number}")


def _listings(api: Api, credentials: Credentials, *, world: World, ids: dict[str, str], at: datetime) -> None:
    """Offers first, then how much of each is there."""
    clients: dict[str, Api] = {}
    for listing in world.listings:
        supplier = world.supplier(listing.supplier)
        key = credentials.suppliers[supplier.tax_id]
        client = clients.setdefault(supplier.short, api.signed_in(ClientTokens(api, key)))
        offer = _offer(client, listing, ids=ids)
        if listing.on_hand is not None and offer["as_of"] is None:
            row = {"item_no": listing.item_no, "stock_point": listing.stock_point, "on_hand": listing.on_hand}
            client.call(
                "POST",
                f"/suppliers/{key.company_id}/sync",
                params={"mode": "delta", "feed": "demo"},
                headers={"Idempotency-Key": f"demo/stock/{supplier.short}/{listing.item_no}", "Prefer": "wait=30"},
                json=[row | {"as_of": at.isoformat()}],
            )


def _offer(client: Api, listing: Listing, *, ids: dict[str, str]) -> dict[str, Any]:
    found: list[dict[str, Any]] = client.get("/suppliers/offers", item_no=listing.item_no).body
    if found:
        return found[0]
    body = listing.terms(audience_ids=[ids[short] for short in listing.meant_for])
    made: dict[str, Any] = client.post(
        "/suppliers/offers", body, key=f"demo/offer/{listing.supplier}/{listing.item_no}"
    ).body
    return made
