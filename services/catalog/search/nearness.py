"""What answers a search nearly, when it is read as values of a type: the less is missed, the nearer.

`HRB400E Φ20 12m` says three things of a bar. First come the bars of which all are true, then those that miss the one
most easily left open (the cut length), and so on; a bar of another diameter comes last. Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product

from services.catalog.components.naming import DIAMETERS, NOMINALS
from services.catalog.components.rules import Kind, Property, halves
from services.catalog.search.documents import TYPE_MARK, facet_token
from services.catalog.search.groups import EACH_WORD, LIFT, THINKABLE, Group, Point

SIZES = DIAMETERS | NOMINALS.keys() | {"od", "spec", "size", "section", "cores"}
"""What a thing is asked for by: another size is another thing."""
LEFT_OPEN = frozenset({"length", "form", "colour", "slump", "z_grade", "brand", "zinc", "finish"})
"""What often does not matter to who says it."""
_MISSED = {"size": 9, "kind": 8, "value": 6, "open": 3, "sister": 2}
"""What missing something costs, in tenths of a word that is not found. A kind is told by a word (fixed 固定), a value
by a grade or a number."""
MISSING = "missing"
"""Where a word stands that nothing answers."""
FACTS_AT_MOST = 6
GROUPS_AT_MOST = 14


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """One thing a search says of the variants of a type."""

    word: str
    token: str
    """What a variant has of which it is true."""
    sisters: tuple[str, ...] = ()
    """Tokens of values so near that many would take them: HRB400E for HRB400."""
    cost: int
    """What it costs to miss it."""
    points: int
    """What it is worth to have it."""


def fact_of(each: Property, value: str, *, points: int) -> Fact:
    """A property's value as asked for; `points` are those of the words that say it."""
    worded = each.kind is Kind.ENUM and halves(value)[0] != halves(value)[1]
    kind = "size" if each.key in SIZES else "open" if each.key in LEFT_OPEN else "kind" if worded else "value"
    return Fact(
        word=value,
        token=facet_token(each.key, value),
        sisters=tuple(facet_token(each.key, other) for other in each.allowed if _are_sisters(each, value, other)),
        cost=_MISSED[kind] * EACH_WORD // 10,
        points=points + LIFT,
    )


def fact_of_word(token: str) -> Fact:
    """A word that only a variant's values can answer."""
    return Fact(word=token, token=token, cost=_MISSED["size"] * EACH_WORD // 10, points=THINKABLE)


def _are_sisters(each: Property, one: str, other: str) -> bool:
    """Whether one value is the other with a letter or a word more: 42.5 and 42.5R, moisture and moisture+fire."""
    if one == other or each.kind is not Kind.ENUM or each.numeric:
        return False
    short, long = sorted((halves(one)[0], halves(other)[0]), key=len)
    return len(short) > 2 and long.startswith(short) and not long[len(short)].isdigit()


def nearest_groups(type_code: str, facts: Sequence[Fact], points: Sequence[Point], *, most: int) -> list[Group]:
    """The variants of a type parted by what of the facts is true of them, the nearest first.

    `points` count for all of them. A fact beyond the first few must be true.
    """
    misses = any(point.where == MISSING for point in points)
    free, must = facts[:FACTS_AT_MOST], facts[FACTS_AT_MOST:]
    groups = []
    for choice in islice(_choices(free), most):
        wanted, lacking, found = [TYPE_MARK + type_code], [], list(points)
        for fact in must:
            wanted.append(fact.token)
            found.append(_found(fact))
        for fact, answer in zip(free, choice, strict=True):
            if answer is None:
                lacking += [fact.token, *fact.sisters]
                found.append(Point(word=fact.word, where=MISSING, points=-fact.cost))
            else:
                wanted.append(answer)
                sister = answer != fact.token
                cost = _MISSED["sister"] * EACH_WORD // 10 if sister else 0
                found.append(Point(word=fact.word, where="nearly", points=-cost) if sister else _found(fact))
        groups.append(
            Group(
                type_code=type_code,
                wanted=tuple(wanted),
                lacking=tuple(lacking),
                near=misses or any(answer != fact.token for fact, answer in zip(free, choice, strict=True)),
                points=tuple(found),
            )
        )
    return groups


def _found(fact: Fact) -> Point:
    return Point(word=fact.word, where="value", points=fact.points)


def _choices(facts: Sequence[Fact]) -> Iterator[tuple[str | None, ...]]:
    """Per fact its token, a sister's, or None for neither; the least missed first."""
    options = [[fact.token, *fact.sisters, None] for fact in facts]
    return iter(sorted(product(*options), key=lambda choice: _missed(facts, choice)))


def _missed(facts: Sequence[Fact], choice: Sequence[str | None]) -> int:
    sister = _MISSED["sister"] * EACH_WORD // 10
    return sum(
        0 if answer == fact.token else fact.cost if answer is None else sister
        for fact, answer in zip(facts, choice, strict=True)
    )
