"""Rules about documents that do not exist yet hold because nothing of the kind is there: the day somebody adds such a
route, this fails until its own rule is tried (T3, T9, T10, T13, T15).
"""

import pytest

from tests.architecture.test_routes import APPS

ADDRESSES = [path for app in APPS.values() for path in app.openapi()["paths"]]
PARAMETERS = {
    parameter["name"] for parameter in APPS["catalog"].openapi()["paths"]["/catalog/search"]["get"]["parameters"]
}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("T3 bids are sealed", ("bid", "tender")),
        ("T10 fees are published", ("fee", "subscription", "charge")),
        ("T13 a receivable has one holder", ("receivable", "factoring", "finance")),
        ("T15 no trade money is held", ("wallet", "balance", "payment", "deposit", "payout")),
    ],
)
def test_no_route_is_about_it(rule: str, words: tuple[str, ...]):
    parts = {part for address in ADDRESSES for part in address.replace("-", "/").split("/")}
    found = {part for part in parts for word in words if part in {word, f"{word}s"}}
    assert not found, f"{rule}: try it in tests/confidentiality before {sorted(found)} goes out"


def test_nobody_can_pay_for_a_place_in_the_search():
    """T9: what a search may be asked, and that each hit can be explained."""
    assert "explain" in PARAMETERS
    assert not {name for name in PARAMETERS if any(word in name for word in ("promot", "sponsor", "boost", "paid"))}
