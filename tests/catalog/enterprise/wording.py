"""Putting the words together: a name, a spec, what is left out, what clashes."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from random import Random

from tests.catalog.enterprise.houses import House
from tests.catalog.enterprise.trade import Part, Trade, Values, choices, holes, identity, named_values, required

_SPREADABLE = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True, kw_only=True)
class Writing:
    """Name and spec, before the house adds anything."""

    name: str
    spec: str
    tags: tuple[str, ...] = ()


def drawn(trade: Trade, next_of: Callable[[Trade, str], str], random: Random) -> Values:
    """Values for a row: each property its next one, then made to agree."""
    wanted = required(trade) | set(trade.optional)
    keys = [each["key"] for each in identity(trade.code) if each["key"] in wanted]
    values = {key: next_of(trade, key) for key in keys}
    if trade.fit:
        trade.fit(values, random)
    return values


def missing_after(trade: Trade, values: Values, random: Random) -> tuple[Values, tuple[str, ...]]:
    """The values without some parts, and which required ones are gone. Half of the time a single part is left out."""
    gone: set[str] = set()
    loose = [part for part in trade.parts if not part.kept and set(part.keys) & required(trade)]
    if not loose:
        return values, ()
    many = len(loose) if random.random() < 0.12 else random.choice((1, 1, 1, 2))
    for part in random.sample(loose, min(many, len(loose))):
        gone |= set(part.keys)
    gone |= {mark for mark, told in trade.tells.items() if gone & set(told.split())}
    return {key: value for key, value in values.items() if key not in gone}, tuple(sorted(gone & required(trade)))


def written(trade: Trade, house: House, values: Mapping[str, str], random: Random) -> Writing:
    """One way to write these values; what has no value is not said."""
    texts = _texts(trade, house, values, random)
    name, said = _name(trade, house, texts, random)
    pieces = _spec(trade, house, texts, said, random)
    tags = set()
    spec = _joined(pieces, house)
    if spec and random.random() < house.all_in_name:
        name, spec = f"{name} {spec}", ""
        tags.add("all_in_name")
    return Writing(name=_signed(name, house), spec=_signed(spec, house), tags=tuple(tags))


def clash_in(trade: Trade, house: House, values: Values, random: Random) -> tuple[Writing, str] | None:
    """A row whose name says one word and whose spec another; of a size where no name has a word."""
    worded = {part.keys[0]: part for part in trade.parts if part.words and len(part.words) > 1}
    hooks = [(name, key) for name in trade.names for key in holes(name) if key in worded and len(holes(name)) == 1]
    if not hooks:
        return _clash_of_numbers(trade, house, values, random)
    name, key = random.choice(hooks)
    others = [each for each in worded[key].words if each != values[key] and each in choices(trade, key)]
    if not others:
        return None
    other = random.choice(others)
    formal = {each: worded[key].words[each][0] for each in (values[key], other)}
    if formal[other] in formal[values[key]] or formal[values[key]] in formal[other]:
        return None
    texts = _texts(trade, house, values, random) | {key: formal[values[key]]}
    unmarked = replace(trade, marks=())
    said = formal[other]
    pieces = [said, *_spec(unmarked, house, texts, {key}, random)]
    title = name.format(**(texts | {key: formal[values[key]]}))
    because = f"{key}: {formal[values[key]]} in the name, {said} in the spec"
    return Writing(name=_signed(title, house), spec=_signed(_joined(pieces, house), house)), because


def _clash_of_numbers(trade: Trade, house: House, values: Values, random: Random) -> tuple[Writing, str] | None:
    """The name ends with one size and the spec says another."""
    single = [part for part in trade.parts if len(part.keys) == 1 and not part.words and part.keys[0] in values]
    candidates = [
        part for part in single if len(set(choices(trade, part.keys[0]))) > 2 and part.keys[0] != "piece_mark"
    ]
    if not candidates:
        return None
    part = random.choice(candidates)
    key = part.keys[0]
    others = [each for each in choices(trade, key) if each != values[key]]
    plain = [name for name in trade.names if not holes(name)]
    if not others or not plain:
        return None
    texts = _texts(trade, house, values, random)
    other = trade.texts({**values, key: random.choice(others)})
    first = part.forms[0].replace("{}", "{" + key + "}")
    shown = first.format(**other)
    name = f"{random.choice(plain)} {shown}"
    spec = _joined(_spec(replace(trade, marks=()), house, texts, set(), random), house)
    because = f"{key}: {other[key]} in the name, {texts[key]} in the spec"
    return Writing(name=_signed(name, house), spec=_signed(spec, house)), because


def spread_of(trade: Trade, house: House, values: Values, random: Random) -> tuple[Writing, list[Values]] | None:
    """One row for several sizes, `Φ16/18/20`; only sizes that do not change anything else said."""
    spreadable = [
        part.keys[0]
        for part in trade.parts
        if len(part.keys) == 1 and not part.words and _steps(trade, part.keys[0]) and part.keys[0] in values
    ]
    if not spreadable:
        return None
    key = random.choice(spreadable)
    steps = _steps(trade, key)
    start = random.randrange(len(steps) - 1)
    chosen = steps[start : start + random.choice((2, 3))]
    part = next(each for each in trade.parts if each.keys == (key,))
    sign = "、" if house.separator == "/" else "/"
    texts = _texts(trade, house, values, random)
    text = _said(part, {**texts, key: sign.join(chosen)}, {}, first=True)
    name, said = _name(
        replace(trade, names=tuple(each for each in trade.names if key not in holes(each))), house, texts, random
    )
    rest = _spec(replace(trade, marks=()), house, texts, said | {key}, random)
    pieces = [*rest[:1], text, *rest[1:]]
    several = [{**values, key: each} for each in chosen]
    return Writing(name=_signed(name, house), spec=_signed(_joined(pieces, house), house)), several


def _steps(trade: Trade, key: str) -> tuple[str, ...]:
    """The sizes of a property, in order, when it is an enum of numbers on which nothing else of the trade depends."""
    found = next(each for each in identity(trade.code) if each["key"] == key)
    if found["type"] != "enum" or trade.fit or key == "rough_in":
        return ()
    allowed = choices(trade, key)
    return allowed if len(allowed) > 2 and all(_SPREADABLE.fullmatch(each) for each in allowed) else ()


def _texts(trade: Trade, house: House, values: Mapping[str, str], random: Random) -> dict[str, str]:
    """Every value's text; those with words as the house would say them."""
    complete = required(trade) <= set(values)
    texts = trade.texts(values) if complete else replace(trade, also=_only_known(trade)).texts(values)
    for part in trade.parts:
        key = part.keys[0]
        if part.words and key in values:
            said = part.words.get(values[key], (values[key],))
            texts[key] = random.choice(said[1:]) if len(said) > 1 and random.random() < house.site_words else said[0]
    return texts


def _only_known(trade: Trade) -> Callable[[Values], Mapping[str, str]]:
    """Derived texts of values that are there; a text that needs a missing value does not exist."""

    def derived(values: Values) -> Mapping[str, str]:
        if trade.also is None:
            return {}
        try:
            return trade.also(values)
        except KeyError:
            return {}

    return derived


def _name(trade: Trade, house: House, texts: Mapping[str, str], random: Random) -> tuple[str, set[str]]:
    """A name and the properties it says."""
    kept = {key for part in trade.parts if part.kept for key in part.keys}
    usable = [name for name in trade.names if holes(name) <= set(texts)]
    rich = [name for name in usable if holes(name)]
    bare = [name for name in usable if not holes(name)]
    if rich and (kept & set().union(*map(holes, rich)) or not bare or random.random() < house.in_name):
        name = random.choice(rich)
    else:
        name = random.choice(bare)
    return name.format(**texts), holes(name)


def _spec(trade: Trade, house: House, texts: Mapping[str, str], said: Collection[str], random: Random) -> list[str]:
    """What the name does not say, as a mark and parts in the order of the house."""
    pieces, told = [], set(said)
    usable = [mark for mark in trade.marks if holes(mark) <= set(texts) and not _told_by(trade, mark) & told]
    if usable and random.random() < house.marks:
        mark = random.choice(usable)
        pieces.append(mark.format(**texts))
        told |= _told_by(trade, mark)
    parts = [part for part in trade.parts if set(part.keys) <= set(texts) and not set(part.keys) <= told]
    site = random.random() < house.site_words
    spoken = [_said(part, texts, told, random=random, site=site) for part in parts]
    return pieces + (spoken[::-1] if house.turned else spoken)


def _told_by(trade: Trade, mark: str) -> set[str]:
    return {key for hole in holes(mark) for key in named_values(trade, hole)}


def _said(
    part: Part,
    texts: Mapping[str, str],
    told: Collection[str],
    *,
    random: Random | None = None,
    site: bool = False,
    first: bool = False,
) -> str:
    """A part in one of its forms; the first is the usual one."""
    forms = [each for each in part.forms if holes(each) - {"w"} <= set(texts)] or list(part.forms[:1])
    form = forms[0]
    if not first and random is not None and (site or random.random() < 0.4):
        form = random.choice(forms)
    key = part.keys[0]
    return form.replace("{}", "{" + key + "}").format(**{**texts, "w": texts.get(key, "")})


def _joined(pieces: list[str], house: House) -> str:
    """Pieces with the house's separator; a house without one still keeps two figures apart."""
    text = ""
    for piece in (each for each in pieces if each):
        glue = house.separator
        if not glue and piece[0].isascii():
            glue = " "
        text += (glue if text else "") + piece
    return text


def _signed(text: str, house: House) -> str:
    """With the house's own signs for times and diameter."""
    text = re.sub(r"(?<=[\d)])×(?=[\d{ΦL])|(?<=[\d])×(?=\d)", house.cross, text)
    return re.sub(r"Φ(?=\d)", house.diameter, text)
