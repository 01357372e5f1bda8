"""Structural steel: sections, plate, tubes, fabricated members, decks, bolts."""

from random import Random

from tests.catalog.enterprise.trade import Trade, Values, dims, listed, say, words

_QUALITY = {each: each for each in listed("Q235B Q355B Q355C Q355D Q390 Q420 Q390GJC Q420GJC")}
_GRADE = words("grade", _QUALITY)
_H_SIZES = {
    "HW": "100x100x6x8 200x200x8x12 250x250x9x14 300x300x10x15 350x350x12x19 400x400x13x21",
    "HM": "148x100x6x9 194x150x6x9 244x175x7x11 294x200x8x12 390x300x10x16 488x300x11x18 588x300x12x20",
    "HN": "200x100x5.5x8 250x125x6x9 300x150x6.5x9 350x175x7x11 400x200x8x13 450x200x9x14 500x200x10x16 600x200x11x17",
    "HT": "95x48x3.2x4.5 97x49x4x5.5 147x149x6x8.5 197x199x7x10.5",
}
_ROLLED = {
    "I 工字钢": "16 20a 25a 28b 32a 36b 40a",
    "channel 槽钢": "8 10 12.6 14a 16b 20a 25b",
    "equal angle 等边角钢": "40x4 50x5 63x6 75x7 80x8 100x10",
    "unequal angle 不等边角钢": "63x40x5 75x50x6 90x56x6 100x63x8 125x80x10",
}


def _h(values: Values, random: Random) -> None:
    values["spec"] = random.choice(listed(_H_SIZES[values["series"]]))


def _rolled(values: Values, random: Random) -> None:
    values["spec"] = random.choice(listed(_ROLLED[values["shape"]]))


def _plate(values: Values, random: Random) -> None:
    if random.random() < 0.6:
        values.pop("z_grade", None)


def _bolt(values: Values, _: Random) -> None:
    if values["kind"].startswith("torshear"):
        values["class"] = "10.9S"


def _deck(values: Values, random: Random) -> None:
    """A truss deck's model names the truss height; a profiled sheet has none."""
    if random.random() < 0.6:
        height = random.choice(listed("70 80 90 100 110 120 150"))
        values |= {"model": f"TD{random.randint(2, 7)}-{height}", "truss_height": height}
    else:
        values["model"] = random.choice(listed("YX51-250-750 YX76-344-688 YXB65-170-510 YX35-125-750"))
        values.pop("truss_height", None)


def _fab(values: Values, random: Random) -> None:
    letters = {"beam": "GL", "column": "GZ", "brace": "ZC", "truss": "HJ", "node": "JD", "box": "XZ", "stair": "LT"}
    values["piece_mark"] = f"{letters[values['member_type']]}{random.randint(1, 9)}-{random.randint(1, 48)}"
    values["drawing_no"] = f"JG-SG-{random.randint(1, 160):03d}"


TRADES = (
    Trade(
        code="ST-H",
        category="钢材/型钢",
        names=("H型钢", "热轧H型钢", "{grade} H型钢", "H钢"),
        parts=(
            dims("series spec", "{series}{spec}", "{series} {spec}"),
            _GRADE,
            say("length", "L={}m", "{}m", "{}米", "定尺{}m"),
        ),
        marks=("{series}{spec}×{length_mm} {grade}", "{grade} {series}{spec} {length}m"),
        units=("t", "t", "t", "m", "piece:根"),
        draw={"spec": ("",), "length": listed("6 9 12 12 15")},
        fit=_h,
        also=lambda values: {"length_mm": str(int(float(values["length"]) * 1000))},
    ),
    Trade(
        code="ST-SEC",
        category="钢材/型钢",
        names=("{shape}", "热轧{shape}", "{shape}({grade})"),
        parts=(
            words(
                "shape",
                {
                    "I 工字钢": "工字钢",
                    "channel 槽钢": "槽钢",
                    "equal angle 等边角钢": "等边角钢",
                    "unequal angle 不等边角钢": "不等边角钢",
                },
                kept=True,
            ),
            say("spec", "{sign}{spec}", "{spec}{hash}", "{spec}"),
            _GRADE,
        ),
        units=("t", "t", "m"),
        draw={"spec": ("",)},
        fit=_rolled,
        also=lambda values: {
            "sign": {"I": "I", "c": "[", "e": "∠", "u": "∠"}[values["shape"][0]],
            "hash": "#" if values["shape"][0] in "Ic" else "",
        },
    ),
    Trade(
        code="ST-PLATE",
        category="钢材/板材",
        names=("钢板", "热轧钢板", "中厚板", "{grade}钢板"),
        parts=(
            dims("thickness width length", "{thickness}×{width_mm}×{length_mm}", "δ={thickness} {width}m×{length}m"),
            _GRADE,
            say("z_grade", "{}", "{}向"),
        ),
        marks=("-{thickness}×{width_mm}×{length_mm} {grade}",),
        units=("t", "t", "m2"),
        draw={
            "thickness": listed("6 8 10 12 14 16 20 25 30 40 50 60 80"),
            "width": listed("1.5 1.8 2 2.2 2.5"),
            "length": listed("6 8 9 10 12"),
            "z_grade": listed("Z15 Z25 Z35"),
        },
        optional=("z_grade",),
        fit=_plate,
        also=lambda values: {f"{key}_mm": str(round(float(values[key]) * 1000)) for key in ("width", "length")},
    ),
    Trade(
        code="ST-RHS",
        category="钢材/管材",
        names=("方矩管", "方管", "冷弯方管", "冷弯方矩管", "{grade}方矩管"),
        parts=(say("spec", "□{spec}", "{spec}"), _GRADE, say("length", "L={}m", "{}m", "{}米/根")),
        marks=("{spec}×{length_mm} {grade}",),
        units=("t", "t", "m"),
        draw={
            "spec": listed("50x50x3 60x40x3 80x80x4 100x100x5 120x80x5 150x150x6 200x200x8 200x100x6 250x250x10"),
            "length": listed("6 6 9 12"),
        },
        also=lambda values: {"length_mm": str(int(values["length"]) * 1000)},
    ),
    Trade(
        code="ST-SMLS",
        category="钢材/管材",
        names=("无缝钢管", "结构用无缝钢管", "无缝管(结构用)"),
        parts=(
            dims("od t", "Φ{od}×{t}", "外径{od} 壁厚{t}", "Φ{od}*{t}mm"),
            words("grade", {"20": "20#|20号钢", "Q355B": "Q355B", "Q390": "Q390"}),
        ),
        units=("t", "t", "m"),
        draw={"od": listed("89 108 133 159 168 219 273 325 377 426"), "t": listed("4.5 5 6 8 10 12 14 16")},
    ),
    Trade(
        code="ST-FAB",
        category="钢结构/构件",
        names=("{member_type}", "钢结构{member_type}", "{member_type}(加工件)"),
        parts=(
            words(
                "member_type",
                {
                    "beam": "钢梁",
                    "column": "钢柱",
                    "brace": "钢支撑",
                    "truss": "钢桁架构件",
                    "node": "铸钢节点|钢节点",
                    "box": "箱型构件",
                    "stair": "钢楼梯",
                },
                kept=True,
            ),
            say("piece_mark", "构件号{}", "构件编号:{}"),
            say("drawing_no", "图号{}", "深化图{}"),
            say("revision", "{}版", "版本{}"),
        ),
        units=("t", "piece:件"),
        draw={"piece_mark": ("",), "drawing_no": ("",), "revision": listed("A B C")},
        fit=_fab,
    ),
    Trade(
        code="ST-DECK",
        category="钢结构/楼承板",
        names=("楼承板", "钢楼承板", "组合楼板用楼承板"),
        parts=(
            say("model", "{}", "{}型"),
            say("thickness", "板厚{}mm", "δ={}", "{}厚"),
            say("zinc", "镀锌{}g/㎡", "镀锌量{}g", "双面镀锌{}g"),
            say("truss_height", "桁架高{}", "桁架高度{}mm"),
            say("length", "板长{}m", "L={length_mm}", "长{length_mm}mm"),
        ),
        units=("m2", "m2", "t"),
        draw={
            "model": ("",),
            "thickness": listed("0.5 0.6 0.8 0.9 1 1.2"),
            "zinc": listed("80 120 180 275"),
            "truss_height": ("",),
            "length": listed("2.4 3 3.6 4.2 6 8.4"),
        },
        optional=("truss_height",),
        fit=_deck,
        also=lambda values: {"length_mm": str(round(float(values["length"]) * 1000))},
    ),
    Trade(
        code="ST-BOLT",
        category="钢结构/紧固件",
        names=("高强螺栓", "{kind}高强螺栓", "{kind}高强度螺栓连接副", "高强度螺栓"),
        parts=(
            words("kind", {"torshear 扭剪型": "扭剪型|扭剪", "large hex 大六角头": "大六角头|大六角"}),
            dims("diameter length", "{diameter}×{length}", "{diameter}×{length}mm", "{diameter} 长{length}mm"),
            words("class", {"8.8S": "8.8S|8.8级", "10.9S": "10.9S|10.9级"}),
        ),
        marks=("{diameter}×{length}-{class}",),
        units=("set", "set:副"),
        draw={"length": listed("50 55 60 65 70 75 80 90 100 110 120")},
        fit=_bolt,
    ),
)
