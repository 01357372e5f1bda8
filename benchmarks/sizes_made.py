"""Sizes and marks that mills and plants really make, for texts of the taxonomy that say nothing of what is allowed.

From the tables of the product standards (GB/T 11263, GB/T 706, GB/T 6728, GB/T 11981) and the marks of the atlases
15G365 to 15G368; whoever searches for a common section finds that the made world has it.
"""

import random
from collections.abc import Mapping, Sequence

_ANGLES = ("30x3", "40x4", "50x5", "63x6", "70x7", "75x8", "80x8", "90x8", "100x10", "125x10")
_UNEQUAL = ("56x36x5", "63x40x5", "75x50x6", "90x56x6", "100x63x8", "125x80x10")
_BEAMS = ("10", "12.6", "14", "16", "18", "20a", "20b", "22a", "25a", "28a", "32a", "36a", "40a", "45a")
_CHANNELS = ("5", "6.3", "8", "10", "12.6", "14a", "16a", "18a", "20a", "22a", "25a", "28a", "32a")
_WIDE = ("150x150x7x10", "200x200x8x12", "250x250x9x14", "300x300x10x15", "350x350x12x19", "400x400x13x21")
_MIDDLE = ("150x100x6x9", "200x150x6x9", "250x175x7x11", "300x200x8x12", "350x250x9x14", "400x300x10x16")
_NARROW = (
    "150x75x5x7", "175x90x5x8", "200x100x5.5x8", "250x125x6x9", "300x150x6.5x9", "350x175x7x11", "400x200x8x13",
    "450x200x9x14", "500x200x10x16", "600x200x11x17", "700x300x13x24", "800x300x14x26",
)  # fmt: skip
_THIN = ("100x50x3.2x4.5", "125x60x3.2x4.5", "150x75x3.2x4.5", "200x100x3.2x4.5", "250x125x4.5x6", "300x150x4.5x6")

BESIDE: Mapping[tuple[str, str], tuple[str, Mapping[str, Sequence[str]]]] = {
    ("ST-H", "spec"): ("series", {"HW": _WIDE, "HM": _MIDDLE, "HN": _NARROW, "HT": _THIN}),
    ("ST-SEC", "spec"): (
        "shape",
        {
            "I 工字钢": _BEAMS,
            "channel 槽钢": _CHANNELS,
            "equal angle 等边角钢": _ANGLES,
            "unequal angle 不等边角钢": _UNEQUAL,
        },
    ),
}
"""By type and property: sizes that go with the value of another property of the same variant."""

ALONE: Mapping[tuple[str, str], Sequence[str]] = {
    ("ST-RHS", "spec"): (
        "40x40x3", "50x50x3", "60x60x4", "80x80x4", "100x100x4", "100x100x5", "120x120x6", "150x150x6", "200x200x8",
        "60x40x3", "80x40x3", "100x50x4", "120x60x5", "120x80x5", "150x100x6", "200x100x6",
    ),
    ("WL-BRICK", "size"): ("240x115x53", "240x115x90", "190x190x90", "240x190x115", "290x190x90", "240x240x115"),
    ("WL-STUD", "section"): ("50x19", "50x15", "60x27", "38x12", "50x45", "75x45", "100x45", "75x35", "100x40"),
    ("ME-DUCT", "section"): (
        "200x100", "200x120", "250x160", "320x200", "400x200", "400x320", "500x320", "630x400", "800x400", "1000x500",
    ),
    ("ME-CABLE", "cores"): (
        "3x2.5", "3x4", "4x16", "4x25+1x16", "4x70+1x35", "4x95+1x50", "3x150+2x70", "5x6", "5x10", "5x16", "4x50",
    ),
    ("DW-ALW", "glass"): ("5", "6", "5+9A+5", "5+12A+5", "6+12A+6", "6Low-E+12A+6", "5+12A+5+12A+5"),
    ("DW-GLASS", "build"): ("6", "8", "10", "12", "5+9A+5", "6+12A+6", "8+12A+8", "6+0.76PVB+6", "8+1.52PVB+8"),
    ("MR-ANCHOR", "spec"): ("M6x60", "M8x80", "M10x80", "M10x100", "M12x100", "M12x120", "M16x150", "M20x170"),
    ("MR-PPE", "size"): ("S", "M", "L", "XL", "39", "40", "41", "42", "43"),
    ("FN-PAINT", "colour"): ("白色", "米色", "浅灰", "RAL9010", "RAL9016"),
    ("FS-ALU", "system"): ("拉片体系", "销钉体系", "螺杆体系"),
    ("ST-DECK", "model"): ("YX51-250-750", "YX65-185-555", "YX76-344-688", "TD3-90", "TD4-120", "HB1-70"),
    ("RB-TRUSS", "model"): ("A70", "A80", "A90", "B80", "B90", "B100"),
    ("RB-MESH", "mesh_type"): ("A6", "A8", "A10", "B7", "B9", "D5", "D6"),
    ("RB-CUT", "shape_code"): ("00", "11", "21", "31", "41", "51"),
}  # fmt: skip


def round_step(span: float) -> float:
    """Lengths are ordered in round numbers: the step of a free number whose values lie so far apart."""
    return next((step for least, step in ((1_000, 100), (100, 10), (30, 5), (5, 1)) if span >= least), 0.1)


def atlas_mark(type_code: str, values: Mapping[str, str], dice: random.Random) -> str | None:
    """The mark that the national atlases give a precast piece of these values; None for what they do not cover."""
    tens = {key: f"{int(value) // 100:02d}" for key, value in values.items() if value.isdigit()}
    match type_code:
        case "PC-SLAB":
            layers = f"{int(values['precast_t']) // 10}{dice.choice('789')}"
            way = "DBS1" if values["direction"].startswith("two") else "DBD"
            return f"{way}-{layers}-{tens['span']}{tens['width']}-{dice.choice(('11', '22', '31', '42'))}"
        case "PC-STAIR":
            way = "JT" if values["flights"].startswith("single") else "ST"
            return f"{way}-{tens['storey_h']}-{tens['clear_w']}"
        case "PC-XWALL":
            return f"WQ-{tens['length']}{tens['height']}"
        case "PC-IWALL":
            return f"NQ-{tens['length']}{tens['height']}"
        case _:
            return None
