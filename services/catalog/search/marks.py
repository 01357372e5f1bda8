"""Marks that say several values at once: of doors, piles, valves, cables, bars on drawings, rolled sections. Pure.

They read into `known` and strike out of the line what they understood.
"""

import re
from collections.abc import Callable, Mapping

from services.catalog.components.rules import Property, TypeDefinition
from services.catalog.search.layouts import MARKS
from services.catalog.search.striking import ReadLine, accepted

Properties = Mapping[str, Property]
_PILE = re.compile(
    r"(phc|uhc|pc)\W*([0-9]{3,4})\W*(?:(ab|a|b|c)\W*)?([0-9]{2,3})\W*(?:(ab|a|b|c)\W*)?-?\W*([0-9]{1,2})m?(?![0-9])"
)
_SHORT_PILE = re.compile(r"(?<![a-z0-9])(phc|uhc|pc)[\s-]*([0-9]{3,4})[\s-]*(?:(ab|a|b|c)(?![a-z0-9]))?")
_CORES = re.compile(
    r"(?<![0-9a-z.])([1-9][0-9]?x[0-9]+(?:\.[0-9]+)?(?:\+[1-9]x[0-9]+(?:\.[0-9]+)?)*)(?:mm2)?(?![0-9a-z.+])"
)
_OPENINGS = {code: re.compile(rf"(?<![a-z0-9]){mark}([0-9]{{2}})([0-9]{{2}})(?![0-9])") for code, mark in MARKS.items()}


def read_marks(definition: TypeDefinition, properties: Properties, line: ReadLine, known: dict[str, str]) -> None:
    """Marks that say several values at once: FM1021, PHC-500(100)AB-12, the cores of a cable."""
    opening = _OPENINGS.get(definition.code)
    if opening is not None and not {"width", "height"} & known.keys():
        for match in line.found(opening):
            values = {
                key: accepted(properties[key], f"{match[place]}00")
                for place, key in ((1, "width"), (2, "height"))
                if key in properties
            }
            if values and None not in values.values():
                known |= {key: value for key, value in values.items() if value is not None}
                line.take(match.start(1), match.end())
                break
    read = _READERS.get(definition.code)
    if read is not None:
        read(properties, line, known)
    if "cores" in properties and "cores" not in known:
        for match in line.found(_CORES):
            known["cores"] = match[1]
            line.take(match.start(), match.end())
            break


def _read_pile(properties: Properties, line: ReadLine, known: dict[str, str]) -> None:
    """PHC-500(100)AB-12, PHC 500 AB 100-12, and PHC500AB alone."""
    whole = [
        (match, {"kind": match[1], "od": match[2], "wall": match[4], "model": match[3] or match[5], "length": match[6]})
        for match in line.found(_PILE)
    ]
    short = [(match, {"kind": match[1], "od": match[2], "model": match[3]}) for match in line.found(_SHORT_PILE)]
    for match, told in (*whole, *short):
        values = {key: accepted(properties[key], value) for key, value in told.items() if value}
        if None not in values.values():
            known |= {key: value for key, value in values.items() if value is not None and key not in known}
            line.take(match.start(), match.end())
            return


_ATLAS_MARKS: Mapping[str, tuple[re.Pattern[str], Mapping[str, tuple[int, str]]]] = {
    "PC-SLAB": (
        re.compile(r"(?<![a-z0-9])db([sd])[12]?-?([0-9])[0-9]-([0-9]{2})([0-9]{2})(?:-[0-9]{1,3}[a-z]?)*(?![0-9])"),
        {"direction": (1, "{}"), "precast_t": (2, "{}0"), "span": (3, "{}00"), "width": (4, "{}00")},
    ),
    "PC-STAIR": (
        re.compile(r"(?<![a-z0-9])([sj])t-?([0-9]{2})-([0-9]{2})(?![0-9])"),
        {"flights": (1, "{}"), "storey_h": (2, "{}00"), "clear_w": (3, "{}00")},
    ),
    "PC-XWALL": (
        re.compile(r"(?<![a-z0-9])wq[a-z]?[0-9]?-([0-9]{2})([0-9]{2})(?:-[0-9]{4})*(?![0-9])"),
        {"length": (1, "{}00"), "height": (2, "{}00")},
    ),
    "PC-IWALL": (
        re.compile(r"(?<![a-z0-9])nq[a-z]?[0-9]?-([0-9]{2})([0-9]{2})(?:-[0-9]{4})*(?![0-9])"),
        {"length": (1, "{}00"), "height": (2, "{}00")},
    ),
}
"""Marks of the atlases 15G365 to 15G367: DBS1-67-3620-31 is a two-way slab, 60 thick under 70 of topping, 3600 long and
2000 wide; ST-28-25 a double stair of 2800 storey height."""
_ATLAS_WORDS = {"s": ("two-way DBS", "double 双跑"), "d": ("one-way DBD",), "j": ("single 剪刀",)}


def read_atlas(code: str, properties: Properties, text: str, known: dict[str, str]) -> None:
    """What a mark of a national atlas says beyond what the text says in so many words."""
    pattern, meaning = _ATLAS_MARKS.get(code, (None, {}))
    found = pattern.search(text) if pattern is not None else None
    if found is None:
        return
    for key, (place, shape) in meaning.items():
        words = [each for each in _ATLAS_WORDS.get(found[place], ()) if each in properties[key].allowed]
        value = words[0] if words else accepted(properties[key], shape.format(found[place]))
        if value is not None:
            known.setdefault(key, value)


_MESH = re.compile(r"φ?([0-9.]+)(?:mm)?@([0-9]+)(?:mm)?\s*[x×*/+]?\s*φ?([0-9.]+)(?:mm)?@([0-9]+)(?:mm)?")
_MESH_IN_WORDS = re.compile(
    r"纵筋\s*φ?([0-9.]+)(?:mm)?\s*间距\s*([0-9]+)(?:mm)?[\s/]*横筋\s*φ?([0-9.]+)(?:mm)?\s*间距\s*([0-9]+)(?:mm)?"
)


def _read_mesh(properties: Properties, line: ReadLine, known: dict[str, str]) -> None:
    """Φ7@100×Φ7@150: along and across, wire and spacing."""
    for match in (*line.found(_MESH), *line.found(_MESH_IN_WORDS)):
        keys = ("wire_dia_long", "spacing_long", "wire_dia_cross", "spacing_cross")
        values = {key: accepted(properties[key], match[place]) for place, key in enumerate(keys, 1)}
        if None not in values.values():
            known |= {key: value for key, value in values.items() if value is not None and key not in known}
            line.take(match.start(), match.end())
            return


_VALVE = re.compile(r"(?<![a-z0-9])d([39])?([478])[0-9][a-z]{1,2}\d?-([0-9]{1,2})[a-z]{0,2}(?![0-9])")
_ENDS = {"4": "flanged", "7": "wafer", "8": "grooved"}
_ACTUATORS = {None: "lever", "3": "gear", "9": "electric"}


def _read_valve(properties: Properties, line: ReadLine, known: dict[str, str]) -> None:
    """D341X-16: a butterfly valve, worm gear, flanged, rubber seat, PN16 (the marking of JB/T 308)."""
    for match in line.found(_VALVE):
        told = {"actuator": _ACTUATORS[match[1]], "end": _ENDS[match[2]], "pn": match[3]}
        values = {key: accepted(properties[key], value) for key, value in told.items()}
        if None not in values.values():
            known |= {key: value for key, value in values.items() if value is not None and key not in known}
            line.take(match.start(), match.end())
            return


_BAR = re.compile(r"(?<![a-z0-9])([acd])\s?([0-9]{1,2})(?![0-9.a-z])")
_BAR_GRADES = {"a": "HPB300", "c": "HRB400", "d": "HRB500"}


def _read_bar(properties: Properties, line: ReadLine, known: dict[str, str]) -> None:
    """C20 on a drawing of reinforcement: a bar of HRB400, diameter 20; the grade in words goes before."""
    for match in line.found(_BAR):
        diameter = accepted(properties["diameter"], match[2])
        grade = accepted(properties["grade"], _BAR_GRADES[match[1]])
        if diameter is None or "diameter" in known:
            continue
        known["diameter"] = diameter
        line.take(match.start(), match.end())
        if grade is not None:
            line.drawn_grade = grade
        return


def read_section(line: ReadLine, known: dict[str, str]) -> None:
    """Which rolled section it is: by its sign, and of an angle by its legs."""
    legs = known.get("spec", "").split("x")
    if "shape" not in known and len(legs) > 1 and ("角钢" in line.text or re.search(r"[l∠]\s?[0-9]", line.text)):
        known["shape"] = "equal angle 等边角钢" if len(legs) == 2 or legs[0] == legs[1] else "unequal angle 不等边角钢"


_READERS: Mapping[str, Callable[[Properties, ReadLine, dict[str, str]], None]] = {
    "CN-PILE": _read_pile,
    "RB-MESH": _read_mesh,
    "ME-VALVE": _read_valve,
    **dict.fromkeys(("RB-HRB", "RB-COIL", "RB-HPB", "RB-CUT"), _read_bar),
}
"""The marks of single types."""
