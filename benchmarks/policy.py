"""What the audience policy costs a search: part of benchmark 4.

The policy stands twice under every search: `audience_keys && viewer` in each statement over offers, and row level
security beneath. pgbench runs the statements of the same searches with both, and with neither (the condition taken
out, as the role that row level security does not bind), in turn, on a copy in which every offer has a key that the
callers hold: so both read and answer the same, and what differs is the check alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import psycopg

from benchmarks.limits import Script, pgbench
from benchmarks.product import Product
from benchmarks.report import number, table, verdict

_AIM = 0.10
_TURNS = 3
_CONDITION = re.compile(r"\b\w+\.audience_keys && CAST\(:\w+ AS text\[\]\)")
_KEY = "members"
"""Every caller of the benchmark holds it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyCost:
    """Searches a second on the whole machine."""

    checked: float
    unchecked: float

    @property
    def of_statements(self) -> float:
        """What the check adds to the statements, as a share of them without it."""
        return self.unchecked / self.checked - 1

    def of_search(self, over_http: float) -> float:
        """What it adds to a search over HTTP, of which so many were answered a second."""
        added = 1 / self.checked - 1 / self.unchecked
        return added / (1 / over_http - added)


def without_check(script: str) -> str:
    """The same statements for whoever may see everything.

    Raises:
        LookupError: no statement asks for audience keys.
    """
    stripped, many = _CONDITION.subn("true", script)
    if not many:
        raise LookupError("No statement of the search asks for audience keys.")
    return stripped


def policy_cost(running: Product, checked: Script, *, clients: int, seconds: int) -> PolicyCost:
    """See the module; `checked` runs in the copy of the catalog (`Product.copy_for_limit`), which is changed."""
    with psycopg.connect(running.admin_of("catalog_limit"), autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute(
            "UPDATE search_offers SET audience_keys = array_append(audience_keys, %(key)s) "
            "WHERE NOT audience_keys && ARRAY[%(key)s]",
            {"key": _KEY},
        )
        admin.execute("VACUUM (ANALYZE) search_offers")
    unchecked = Script(url=running.limit_urls("catalog").worker, text=without_check(checked.text))
    rates: dict[str, list[float]] = {"checked": [], "unchecked": []}
    for script in (checked, unchecked):
        pgbench(script, clients=clients, seconds=1)
    for turn in range(_TURNS):
        both = [("checked", checked), ("unchecked", unchecked)]
        for name, script in both if turn % 2 == 0 else reversed(both):
            rates[name].append(pgbench(script, clients=clients, seconds=seconds).per_second)
    found = PolicyCost(checked=median(rates["checked"]), unchecked=median(rates["unchecked"]))
    running.say(f"  the policy adds {100 * found.of_statements:.1f} % to the statements of a search")
    return found


def policy_table(cost: PolicyCost, *, over_http: float) -> str:
    """As a part of the section."""
    share = cost.of_search(over_http)
    rows: Sequence[Sequence[str]] = [
        ["its statements, with the policy", number(cost.checked), number(1000 / cost.checked, 2)],
        ["its statements, without", number(cost.unchecked), number(1000 / cost.unchecked, 2)],
        ["the policy adds to the statements", f"{number(100 * cost.of_statements, 1)} %", ""],
        [
            f"the policy adds to a search over HTTP (aim below {number(100 * _AIM)} %)",
            f"{number(100 * share, 1)} %",
            verdict(-share, aim=-_AIM),
        ],
    ]
    return table(["what the audience policy costs a search", "searches/s", "ms of the machine"], rows)
