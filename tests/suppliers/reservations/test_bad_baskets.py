"""What is wrong with one basket is told to its buyer, and to nobody else."""

import psycopg
import pytest

from shared.contracts.reservations import ReserveResult
from tests.suppliers.reservations.world import a_basket, a_line, reserve

_NO_CHECKS = """
    DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT conname FROM pg_constraint WHERE conrelid = 'offers'::regclass AND contype = 'c' LOOP
            EXECUTE format('ALTER TABLE offers DROP CONSTRAINT %I', name);
        END LOOP;
    END $$"""


@pytest.mark.parametrize(
    "spoilt",
    [
        "valid_until = 'infinity'",
        "valid_until = '10000-01-01'",
        """tiers = '[{"min_quantity": "x", "price": "1"}]'""",
        "lead_time_days = 2147483647",
    ],
)
async def test_an_offer_that_cannot_be_read_fails_its_own_basket_only(market, http, urls, spoilt):
    good, bad = await market.an_offer(), await market.an_offer()
    with psycopg.connect(urls.owner, autocommit=True) as owner:
        owner.execute(_NO_CHECKS)
    await market.run(f"UPDATE offers SET {spoilt} WHERE id = :id", id=bad.id)
    results = await reserve(
        http,
        a_basket(a_line(good, "1")),
        a_basket(a_line(good, "2"), a_line(bad)),
        a_basket(a_line(good, "4")),
    )
    told = [(result["outcome"], result["code"]) for result in results]
    assert told == [("held", None), ("refused", "BasketUnreadable"), ("held", None)]
    assert ReserveResult.model_validate(results[1]).refusals == []
    assert await market.reserved(good) == 5
    assert await market.drift() == []
