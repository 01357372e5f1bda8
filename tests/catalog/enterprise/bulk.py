"""Concrete, cement, aggregates, mortar, piles; formwork and scaffolding."""

from random import Random

from tests.catalog.enterprise.trade import Trade, Values, listed, roman, say, words

_BULK = words("form", {"bulk 散装": "散装", "bag 袋装": "袋装"})
_SILO = words("form", {"silo bulk 散装": "散装", "bag 袋装": "袋装"})
_CEMENTS = {
    "P.O": "P.O|普硅|普通硅酸盐",
    "P.I": "P.I|P·Ⅰ",
    "P.II": "P.II|P·Ⅱ",
    "P.S.A": "P.S.A|矿渣A型",
    "P.S.B": "P.S.B|矿渣B型",
    "P.P": "P.P|火山灰质",
    "P.F": "P.F|粉煤灰硅酸盐",
    "P.C": "P.C|复合硅酸盐",
}


def _concrete(values: Values, random: Random) -> None:
    """Most mixes say neither the grade of water tightness nor the stone."""
    if random.random() < 0.6:
        values.pop("impermeability", None)
    if random.random() < 0.8:
        values.pop("max_aggregate", None)


def _cement(values: Values, random: Random) -> None:
    """32.5 exists for composite cement only, 62.5 for Portland without additions."""
    if values["kind"] != "P.C" and values["strength"].startswith("32.5"):
        values["strength"] = random.choice(("42.5", "42.5R"))
    if values["kind"] not in ("P.I", "P.II") and values["strength"].startswith("62.5"):
        values["strength"] = "52.5"


def _pile(values: Values, random: Random) -> None:
    walls = {"300": "70", "400": "95", "500": "100", "600": "110", "700": "110", "800": "110", "1000": "130"}
    values["wall"] = walls[values["od"]]
    if values["od"] in ("500", "600") and random.random() < 0.3:
        values["wall"] = "125"


def _disc(values: Values, random: Random) -> None:
    """Standards and jacks belong to the 60 system, ledgers and braces to the 48 one."""
    heavy = values["part"].startswith(("standard", "jack"))
    values["model"] = "Z 60.3" if heavy else "B 48.3"
    values["length"] = random.choice(listed("0.5 1 1.5 2 2.5") if heavy else listed("0.3 0.6 0.9 1.2 1.5 1.8"))


TRADES = (
    Trade(
        code="CN-RMC",
        category="混凝土/商品混凝土",
        names=("商品混凝土", "预拌混凝土", "商砼", "混凝土", "{strength}混凝土", "{strength}商砼", "泵送混凝土"),
        parts=(
            say("strength", "{}", "{}砼", "强度{}"),
            say("impermeability", "{}", "抗渗{}", "抗渗等级{}"),
            say("slump", "坍落度{}±20", "坍落度{}mm", "{}±20mm", "塌落度{}"),
            say("max_aggregate", "最大粒径{}mm", "石子粒径≤{}"),
        ),
        units=("m3",),
        draw={"slump": listed("120 140 160 180 200 220"), "impermeability": listed("P6 P8 P10 P12")},
        optional=("impermeability", "max_aggregate"),
        fit=_concrete,
    ),
    Trade(
        code="CN-CEM",
        category="水泥",
        names=("水泥", "{form}水泥", "通用硅酸盐水泥", "{kind}水泥"),
        parts=(words("kind", _CEMENTS), say("strength", "{}", "{}级", "强度等级{}"), _BULK),
        marks=("{kind}{strength}", "{kind} {strength}"),
        units=("t", "t", "bag"),
        fit=_cement,
    ),
    Trade(
        code="CN-SAND",
        category="地材/砂",
        names=("{kind}", "建筑用{kind}", "砂"),
        parts=(
            words(
                "kind",
                {"natural 天然砂": "天然砂", "manufactured 机制砂": "机制砂|人工砂", "mixed 混合砂": "混合砂"},
            ),
            say("fineness", "细度模数{}", "Mx={}", "细度{}"),
            roman("class", "类"),
        ),
        units=("t", "m3", "m3"),
        draw={"fineness": listed("1.8 2 2.3 2.5 2.6 2.8 3")},
    ),
    Trade(
        code="CN-AGG",
        category="地材/石",
        names=("{kind}", "建筑用{kind}", "石子({kind})"),
        parts=(
            words("kind", {"crushed 碎石": "碎石", "pebble 卵石": "卵石|河卵石"}, kept=True),
            say("size_range", "{}mm", "粒径{}", "{}连续级配"),
            roman("class", "类"),
        ),
        units=("t", "m3"),
    ),
    Trade(
        code="CN-MOR",
        category="砂浆",
        names=("干混砂浆", "预拌砂浆", "干混{kind}砂浆", "{kind}砂浆(干混)"),
        parts=(
            words(
                "kind",
                {
                    "DM masonry 砌筑": "砌筑|DM砌筑",
                    "DP plaster 抹灰": "抹灰|DP抹灰",
                    "DS screed 地面": "地面|DS地面",
                    "DW waterproof 防水": "防水|DW防水",
                    "DTA tile 粘结": "瓷砖粘结|DTA瓷砖粘结",
                },
            ),
            say("strength", "{}", "强度{}", "{}级"),
            _SILO,
        ),
        units=("t", "t", "bag"),
    ),
    Trade(
        code="CN-GROUT",
        category="混凝土/灌浆料",
        names=("套筒灌浆料", "钢筋连接用套筒灌浆料", "钢筋套筒灌浆料"),
        parts=(
            say("strength_28d", "28d≥{}MPa", "{}MPa", "28天强度{}MPa"),
            words("use", {"normal 常温": "常温型|常温", "low temperature 低温": "低温型|低温"}),
        ),
        units=("t", "bag"),
        draw={"strength_28d": listed("85 90 100 110")},
    ),
    Trade(
        code="CN-PILE",
        category="桩基",
        names=("预应力管桩", "管桩", "预应力混凝土管桩", "{kind}管桩"),
        parts=(
            say("kind", "{}", "{}桩"),
            say("od", "Φ{}", "外径{}"),
            say("wall", "壁厚{}", "t={}"),
            say("model", "{}型"),
            say("length", "{}m", "L={}m", "单节{}m"),
        ),
        marks=("{kind}-{od}({wall}){model}-{length}", "{kind}{od}{model}{wall}-{length}m"),
        units=("m", "m", "piece:根"),
        draw={"wall": ("",), "length": listed("7 8 9 10 11 12 13 15")},
        fit=_pile,
    ),
    Trade(
        code="FS-PLY",
        category="周转材料/模板",
        names=("建筑模板", "胶合板模板", "{facing}木模板", "木胶板(模板)", "{facing}建筑模板"),
        parts=(
            say("size", "{}", "{}mm"),
            say("thickness", "{}mm厚", "厚{}mm", "δ={}"),
            words("facing", {"film faced 覆膜": "覆膜|双面覆膜", "plain 素板": "素板|不覆膜素板"}),
        ),
        marks=("{size}×{thickness}",),
        units=("piece:张", "m2"),
    ),
    Trade(
        code="FS-ALU",
        category="周转材料/模板",
        names=("铝模板", "铝合金模板", "组合铝合金模板"),
        parts=(say("system", "{}", "采用{}"), say("panel_thickness", "型材壁厚{}mm", "面板厚{}", "δ={}mm")),
        units=("m2",),
        draw={"system": listed("早拆体系 拉杆体系 拉片体系"), "panel_thickness": listed("3.5 4 4.5 5")},
    ),
    Trade(
        code="FS-TUBE",
        category="周转材料/脚手架",
        names=("脚手架钢管", "架管", "架子管", "外架钢管"),
        parts=(say("spec", "Φ{}", "Φ{}mm"), say("length", "{}m", "L={}m", "{}米")),
        marks=("Φ{spec}-{length}m",),
        units=("m", "t", "m"),
    ),
    Trade(
        code="FS-DISC",
        category="周转材料/脚手架",
        names=("盘扣{part}", "盘扣式脚手架{part}", "承插型盘扣架{part}", "盘扣架配件{part}"),
        parts=(
            words(
                "part",
                {
                    "standard 立杆": "立杆",
                    "ledger 水平杆": "水平杆|横杆",
                    "brace 斜杆": "斜杆",
                    "jack 可调托座": "可调托座|可调顶托",
                },
                kept=True,
            ),
            words("model", {"Z 60.3": "Z 60.3|Z型60.3", "B 48.3": "B 48.3|B型48.3"}, "{w}", "{w}系列"),
            say("length", "{}m", "L={length_mm}", "长{length_mm}mm"),
        ),
        units=("t", "piece:根"),
        draw={"length": ("",)},
        fit=_disc,
        also=lambda values: {"length_mm": str(round(float(values["length"]) * 1000))},
    ),
    Trade(
        code="FS-CLAMP",
        category="周转材料/脚手架",
        names=("{kind}扣件", "{kind}扣件(脚手架用)", "钢管{kind}扣件", "钢管扣件", "脚手架扣件"),
        parts=(
            words("kind", {"right angle 直角": "直角|十字", "swivel 旋转": "旋转|万向", "sleeve 对接": "对接|接头"}),
        ),
        units=("piece:个", "piece:只"),
    ),
)
