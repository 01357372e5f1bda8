"""Rows in the stated mixture, the same for the same seed."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle, islice
from random import Random

from tests.catalog.enterprise import bulk, finishes, precast, rebar, services, structure, walls
from tests.catalog.enterprise.houses import HOUSES, House
from tests.catalog.enterprise.model import EnterpriseRow, Truth, TruthKind
from tests.catalog.enterprise.noise import (
    BRANDS,
    OLD_STANDARDS,
    REMARKS,
    full_width,
    latin_slip_of,
    slip_of,
    with_thousands,
)
from tests.catalog.enterprise.others import NEAR_MISSES, OTHER_GOODS, Other
from tests.catalog.enterprise.trade import Trade, choices, entry, foreign_units, identity, key_of
from tests.catalog.enterprise.wording import (
    Writing,
    clash_in,
    drawn,
    missing_after,
    spread_of,
    written,
)

TRADES: tuple[Trade, ...] = (
    *rebar.TRADES,
    *structure.TRADES,
    *bulk.TRADES,
    *walls.TRADES,
    *precast.TRADES,
    *services.TRADES,
    *finishes.TRADES,
)
SHARES = {
    TruthKind.EXACT: 0.62,
    TruthKind.BROADER: 0.14,
    TruthKind.UNMATCHED: 0.11,
    TruthKind.CONTRADICTION: 0.045,
    TruthKind.UNIT: 0.04,
    TruthKind.SPLIT: 0.045,
}
AGAIN = 0.06
"""Of the exact rows, how many are a second code for something an earlier row of the house names (一物多码)."""
TYPO, LATIN_TYPO, RETIRED, OLD = 0.02, 0.006, 0.05, 0.35
"""Shares of rows with a slip in the name and in a code, of retired codes, and of stated standards that are replaced."""
Draft = tuple[EnterpriseRow, Trade | None]


class Clerks:
    """Everyone who writes, with one source of chance between them."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.numbers = dict.fromkeys((house.name for house in HOUSES), 0)
        self.bags: dict[tuple[str, str], list[str]] = {}

    def next_of(self, trade: Trade, key: str) -> str:
        """Values come out of a bag, so that each is used before any comes again."""
        bag = self.bags.setdefault((trade.code, key), [])
        if not bag:
            bag += choices(trade, key)
            self.random.shuffle(bag)
        return bag.pop()

    def code(self, house: House, group: int) -> str:
        self.numbers[house.name] += self.random.choice((1, 1, 1, 2, 7))
        return house.code.format(g=group, n=self.numbers[house.name])

    def row(self, house: House, trade: Trade, writing: Writing, truth: Truth, unit: str | None = None) -> EnterpriseRow:
        """The writing as a row of the house, with what its clerks add."""
        name, spec, tags = writing.name, writing.spec, set(writing.tags)
        path, chance = trade.category, self.random.random
        brand = self.random.choice(BRANDS) if chance() < 0.3 else ""
        if brand and chance() < house.brand_in_name:
            name, brand = f"{brand} {name}", ""
            tags.add("brand_in_name")
        spec, standard = self._with_standard(house, trade, spec)
        tags |= standard
        unit_text = house.unit(unit or self.random.choice(trade.units))
        if unit is None and chance() < house.unit_in_name:
            name, unit_text = f"{name}({unit_text})", ""
            tags.add("unit_in_name")
        if chance() < house.remarks:
            name += self.random.choice(REMARKS)
            tags.add("remark")
        name, spec, slips = self._with_slips(house, name, spec)
        tags |= slips
        group = [each.code for each in TRADES].index(trade.code) + 1
        retired = chance() < RETIRED
        return EnterpriseRow(
            legacy_code=self.code(house, group),
            name=name,
            spec=spec,
            unit=unit_text,
            category={"path": path, "leaf": path.split("/")[-1], "number": f"{group:04d}"}[house.category],
            brand=brand,
            status=house.retired if retired else house.active,
            house=house.name,
            truth=truth,
            noise=tuple(sorted(tags | ({"obsolete_code"} if retired else set()))),
        )

    def _with_standard(self, house: House, trade: Trade, spec: str) -> tuple[str, set[str]]:
        """A standard behind the spec, now and then the edition before the present one."""
        current = entry(trade.code)["standards"][0]["number"]
        if self.random.random() >= house.standards:
            return spec, set()
        if trade.code in OLD_STANDARDS and self.random.random() < OLD:
            return f"{spec}{house.separator}{OLD_STANDARDS[trade.code]}".strip("; /"), {"old_standard", "standard"}
        return f"{spec}{house.separator}{current}".strip("; /"), {"standard"}

    def _with_slips(self, house: House, name: str, spec: str) -> tuple[str, str, set[str]]:
        tags = set()
        chance = self.random.random
        slipped = slip_of(name, self.random) if chance() < TYPO else None
        if slipped:
            name = slipped
            tags.add("typo")
        turned = latin_slip_of(spec) if chance() < LATIN_TYPO else None
        if turned:
            spec = turned
            tags.add("typo")
        if chance() < house.thousands and with_thousands(spec) != spec:
            spec = with_thousands(spec)
            tags.add("thousands")
        if chance() < house.full_width:
            name, spec = full_width(name), full_width(spec)
            tags.add("full_width")
        return name, spec, tags

    def exact(self, house: House, trade: Trade) -> EnterpriseRow:
        values = drawn(trade, self.next_of, self.random)
        truth = Truth(kind=TruthKind.EXACT, type_code=trade.code, keys=(key_of(trade.code, values),))
        return self.row(house, trade, written(trade, house, values, self.random), truth)

    def broader(self, house: House, trade: Trade) -> EnterpriseRow | None:
        values = drawn(trade, self.next_of, self.random)
        left, missing = missing_after(trade, values, self.random)
        if not missing:
            return None
        because = "not written: " + " ".join(missing)
        truth = Truth(kind=TruthKind.BROADER, type_code=trade.code, missing=missing, because=because)
        return self.row(house, trade, written(trade, house, left, self.random), truth)

    def contradiction(self, house: House, trade: Trade) -> EnterpriseRow | None:
        values = drawn(trade, self.next_of, self.random)
        found = clash_in(trade, house, values, self.random)
        if found is None:
            return None
        writing, because = found
        truth = Truth(kind=TruthKind.CONTRADICTION, type_code=trade.code, because=because)
        return self.row(house, trade, writing, truth)

    def unit(self, house: House, trade: Trade) -> EnterpriseRow | None:
        foreign = foreign_units(trade.code)
        if not foreign:
            return None
        values, unit = drawn(trade, self.next_of, self.random), self.random.choice(foreign)
        because = f"counted in {unit}, the type in {entry(trade.code)['base_uom']}"
        keys = (key_of(trade.code, values),)
        truth = Truth(kind=TruthKind.UNIT, type_code=trade.code, keys=keys, because=because)
        return self.row(house, trade, written(trade, house, values, self.random), truth, unit)

    def split(self, house: House, trade: Trade) -> EnterpriseRow | None:
        values = drawn(trade, self.next_of, self.random)
        found = spread_of(trade, house, values, self.random)
        if found is None:
            return None
        writing, several = found
        keys = tuple(key_of(trade.code, each) for each in several)
        truth = Truth(kind=TruthKind.SPLIT, type_code=trade.code, keys=keys, because=f"{len(keys)} variants at once")
        return self.row(house, trade, writing, truth)

    def unmatched(self, house: House, other: Other) -> EnterpriseRow:
        spec = self.random.choice(other.specs).replace("×", house.cross)
        truth = Truth(kind=TruthKind.UNMATCHED, type_code=other.type_code, because=other.because)
        known = {"kg": "kg", "m2": "m2", "m": "m", "t": "t", "m3": "m3", "set": "set", "roll": "roll"}
        unit = house.unit(other.unit) if other.unit in known or ":" in other.unit else other.unit
        tags = {"near_miss"} if other.type_code else set()
        name = other.name
        if self.random.random() < house.all_in_name:
            name, spec = f"{name} {spec}", ""
        if self.random.random() < house.full_width:
            name, spec = full_width(name), full_width(spec)
            tags.add("full_width")
        return EnterpriseRow(
            legacy_code=self.code(house, 90),
            name=name,
            spec=spec,
            unit=unit,
            category=other.category,
            brand="",
            status=house.active,
            house=house.name,
            truth=truth,
            noise=tuple(sorted(tags)),
        )


def _filled(make: Callable[[House, Trade], EnterpriseRow | None], count: int, random: Random) -> Iterator[Draft]:
    """So many rows, each type as often as any other; a type that cannot be written so is passed over."""
    order, done = list(TRADES), 0
    for turn in cycle(range(len(order))):
        if turn == 0:
            random.shuffle(order)
        row = make(random.choice(HOUSES), order[turn])
        if row is not None:
            yield row, order[turn]
            done += 1
        if done == count:
            return


def _named_again(clerks: Clerks, drafts: list[Draft], count: int) -> list[EnterpriseRow]:
    """Second codes for things that have one: the other clerk wrote it in another way."""
    again = []
    houses = {house.name: house for house in HOUSES}
    for first, trade in clerks.random.sample(drafts, count):
        assert trade is not None
        house = houses[first.house]
        values = dict(part.split("=", 1) for part in (first.truth.key or "").partition("|")[2].split(","))
        row = clerks.row(house, trade, written(trade, house, values, clerks.random), first.truth)
        again.append(replace(row, noise=tuple(sorted({*row.noise, "second_code"}))))
    return again


def _one_code_for_two(clerks: Clerks, count: int) -> list[EnterpriseRow]:
    """一码多物: the same code came to mean another size; the two rows stand far apart in the list."""
    found: list[EnterpriseRow] = []
    wide = [trade for trade in TRADES if len(identity(trade.code)) > 1]
    while len(found) < count:
        house, trade = clerks.random.choice(HOUSES), clerks.random.choice(wide)
        first, second = clerks.exact(house, trade), clerks.exact(house, trade)
        if first.truth.keys == second.truth.keys:
            continue
        truth = Truth(
            kind=TruthKind.SPLIT,
            type_code=trade.code,
            keys=first.truth.keys + second.truth.keys,
            because="one code on two rows of different things",
        )
        for row in (first, second):
            tags = tuple(sorted({*row.noise, "code_twice"}))
            found.append(replace(row, legacy_code=first.legacy_code, truth=truth, noise=tags))
    return found


def assembled(seed: int, count: int) -> list[EnterpriseRow]:
    """The rows of all houses, shuffled."""
    clerks = Clerks(seed)
    wanted = {kind: round(count * share) for kind, share in SHARES.items()}
    second = round(wanted[TruthKind.EXACT] * AGAIN)
    twice = round(wanted[TruthKind.SPLIT] * 0.3) // 2 * 2
    exact = list(_filled(clerks.exact, wanted[TruthKind.EXACT] - second, clerks.random))
    rows = [row for row, _ in exact] + _named_again(clerks, exact, second)
    for make, number in (
        (clerks.broader, wanted[TruthKind.BROADER]),
        (clerks.contradiction, wanted[TruthKind.CONTRADICTION]),
        (clerks.unit, wanted[TruthKind.UNIT]),
        (clerks.split, wanted[TruthKind.SPLIT] - twice),
    ):
        rows += [row for row, _ in _filled(make, number, clerks.random)]
    rows += _one_code_for_two(clerks, twice)
    outside = [*OTHER_GOODS, *NEAR_MISSES, *NEAR_MISSES]
    clerks.random.shuffle(outside)
    for other in islice(cycle(outside), wanted[TruthKind.UNMATCHED]):
        rows.append(clerks.unmatched(clerks.random.choice(HOUSES), other))
    clerks.random.shuffle(rows)
    return rows
