"""HTTP of self-service registration."""

from fastapi import Response

from services.members.companies.actions import CompanyMalformed, TaxIdInput, TaxIdRefused
from services.members.dependencies import Configured, Network, PasswordChecks, SystemSessions
from services.members.people import attempts
from services.members.people.actions import check_password
from services.members.people.attempts import TooManyAttempts, account_key, network_key, registration_key
from services.members.people.routes import PasswordWrong
from services.members.registrations import actions
from services.members.registrations.actions import (
    FIRST_ROLES,
    AccountChanged,
    AccountNotReady,
    CompanyTakesPart,
    account_of,
    check_ready,
)
from services.members.registrations.schemas import RegistrationGiven, RegistrationView
from shared import idempotency
from shared.contracts.members import CompanyIdentity
from shared.database import transaction
from shared.errors import refusals
from shared.http import Now
from shared.http import router as house_router
from shared.identity import Visitor

router = house_router("/members/registrations", tag="registration")


@router.post(
    "",
    status_code=201,
    summary="Register your company as a supplier",
    responses=refusals(
        TaxIdRefused,
        CompanyMalformed,
        CompanyTakesPart,
        AccountNotReady,
        AccountChanged,
        PasswordWrong,
        TooManyAttempts,
    ),
    openapi_extra=idempotency.EXEMPT,
)
async def register(
    *,
    body: RegistrationGiven,
    _: Visitor,
    sessions: SystemSessions,
    passwords: PasswordChecks,
    settings: Configured,
    network: Network,
    now: Now,
    response: Response,
) -> RegistrationView:
    """The company and its first admin, both or neither; the tax id's check digit must hold, and nobody may have it yet.

    An e-mail address that acts for another company already registers with its present password. A company that takes
    part already joins by its own admin, who signs in. No Idempotency-Key: a second try hears that it is registered.
    """
    given, email = body.password.get_secret_value(), body.email
    async with transaction(sessions) as session:
        limits = {registration_key(network): settings.registration_limit, network_key(network): settings.network_limit}
        await attempts.count(session, limits=limits, at=now)
        account = await account_of(session, email=email)
    check_ready(account)
    new_hash = None
    if account.password_hash is None:
        check_password(given, email=email, field="password")
        new_hash = await passwords.hash(given)
    else:
        async with transaction(sessions) as session:
            await attempts.count(session, limits={account_key(email): settings.account_limit}, at=now)
        if not await passwords.check(password=given, stored=account.password_hash):
            raise PasswordWrong("This address has an account; register with its present password.")
    async with transaction(sessions) as session:
        known = account_key(email) if account.password_hash is not None else None
        await attempts.take_back(session, account=known, network=network_key(network))
        registered = await actions.register(
            session,
            tax_id=TaxIdInput(scheme=body.tax_id.scheme, country=body.tax_id.country, value=body.tax_id.value),
            name_zh=body.name_zh,
            name_en=body.name_en,
            person_name=body.person_name,
            email=email,
            new_password_hash=new_hash,
            at=now,
        )
    response.headers["Location"] = f"/members/companies/{registered.company.id}"
    return RegistrationView(
        company=CompanyIdentity.model_validate(registered.company),
        person_id=registered.person_id,
        email=email,
        roles=FIRST_ROLES,
    )
