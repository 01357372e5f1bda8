"""Blocks, panels, boards and studs; doors, windows, glass; waterproofing and insulation."""

from random import Random

from tests.catalog.enterprise.trade import Trade, Values, dims, listed, roman, say, words

_FIRE = say("fire", "{}级", "燃烧性能{}级", "{}")
_RAW = {"shale 页岩": "页岩", "gangue 煤矸石": "煤矸石", "fly ash 粉煤灰": "粉煤灰", "clay 黏土": "黏土|粘土"}


def _stud(values: Values, random: Random) -> None:
    sections = {"C": "50x45 75x45 100x45", "U": "50x40 75x40 100x40"}
    ceiling = {"ceiling main 主龙骨": "38x12 50x15 60x27", "ceiling secondary 副龙骨": "50x19 50x20 60x27"}
    values["section"] = random.choice(listed(ceiling.get(values["part"]) or sections[values["part"][0]]))


def _rock(values: Values, random: Random) -> None:
    strip = values["kind"].startswith("strip")
    values["tensile"] = random.choice(listed("TR80 TR100") if strip else listed("TR7.5 TR10 TR15"))


def _firedoor(values: Values, random: Random) -> None:
    double = values["leaf"] == "double"
    values["width"] = random.choice(listed("1200 1500 1800") if double else listed("800 900 1000"))


MASONRY = (
    Trade(
        code="WL-AAC",
        category="砌体/砌块",
        names=("加气块", "加气混凝土砌块", "蒸压加气混凝土砌块", "蒸压加气块"),
        parts=(
            dims("length width height", "{length}×{width}×{height}", "{length}×{width}×{height}mm"),
            say("strength", "{}", "强度{}", "强度级别{}"),
            say("density", "{}", "密度{}", "干密度{}级"),
        ),
        marks=("{strength} {density} {length}×{width}×{height}",),
        units=("m3", "m3", "piece:块"),
    ),
    Trade(
        code="WL-BRICK",
        category="砌体/砖",
        names=("{raw}{kind}砖", "烧结{raw}{kind}砖", "{kind}砖", "烧结砖"),
        parts=(
            words("raw", _RAW),
            words("kind", {"hollow 空心": "空心", "perforated 多孔": "多孔"}, "{w}砖"),
            say("size", "{}", "{}mm"),
            say("strength", "{}", "强度{}"),
        ),
        units=("m3", "thousand"),
        draw={"size": listed("240x115x90 190x190x90 240x180x115 290x190x90 190x90x90")},
    ),
    Trade(
        code="WL-CBLK",
        category="砌体/砌块",
        names=("混凝土小型{kind}砌块", "小型混凝土砌块", "普通混凝土小砌块", "混凝土{kind}小砌块"),
        parts=(
            words("kind", {"hollow H": "空心", "solid S": "实心"}),
            say("size", "{}", "{}mm"),
            say("strength", "{}", "强度{}"),
        ),
        units=("m3", "piece:块"),
    ),
    Trade(
        code="WL-ALC",
        category="墙板",
        names=("ALC板", "ALC板({use}用)", "蒸压加气混凝土板", "ALC条板"),
        parts=(
            words(
                "use",
                {
                    "partition 隔墙": "隔墙|内隔墙",
                    "external wall 外墙": "外墙",
                    "roof 屋面": "屋面",
                    "floor 楼板": "楼板",
                },
                "{w}用",
                "{w}",
            ),
            dims("length width thickness", "{length}×{width}×{thickness}", "板厚{thickness} 宽{width} 长{length}"),
            say("strength", "{}", "强度{}"),
        ),
        units=("m3", "m2", "piece:块"),
        draw={"length": listed("2400 2700 2800 3000 3300 4200 5000")},
    ),
    Trade(
        code="WL-PANEL",
        category="墙板",
        names=("轻质隔墙板", "{material}隔墙板", "{material}轻质条板", "轻质隔墙条板"),
        parts=(
            words(
                "material",
                {
                    "concrete 混凝土": "混凝土",
                    "ceramsite 陶粒": "陶粒",
                    "gypsum 石膏": "石膏",
                    "composite sandwich 复合夹芯": "复合夹芯",
                    "hollow cement 空心水泥": "空心水泥",
                },
                "{w}",
                "{w}材质",
            ),
            dims("length width thickness", "{length}×{width}×{thickness}", "{thickness}厚 {width}宽 长{length}"),
        ),
        units=("m2", "m2", "piece:块"),
        draw={"length": listed("2440 2500 2700 2800 3000")},
    ),
    Trade(
        code="WL-GYP",
        category="装饰/板材",
        names=("纸面石膏板", "{kind}纸面石膏板", "{kind}石膏板"),
        parts=(
            words(
                "kind",
                {
                    "normal 普通": "普通",
                    "moisture 耐水": "耐水|防潮",
                    "fire 耐火": "耐火",
                    "moisture+fire 耐水耐火": "耐水耐火",
                },
                "{w}型",
                "{w}",
            ),
            dims("size thickness", "{size}×{thickness}", "{size}mm 厚{thickness}mm", "{size} {thickness}厚"),
        ),
        units=("piece:张", "m2"),
    ),
    Trade(
        code="WL-STUD",
        category="装饰/龙骨",
        names=("轻钢龙骨", "轻钢{part}", "{part}(轻钢)"),
        parts=(
            words(
                "part",
                {
                    "C stud 竖龙骨": "竖龙骨|C型竖龙骨",
                    "U track 横龙骨": "横龙骨|U型横龙骨|天地龙骨",
                    "ceiling main 主龙骨": "主龙骨|吊顶主龙骨",
                    "ceiling secondary 副龙骨": "副龙骨|吊顶副龙骨",
                },
            ),
            dims("section thickness", "{section}×{thickness}", "{section} 厚{thickness}mm", "{section} δ={thickness}"),
            say("zinc", "双面镀锌{}g/㎡", "镀锌量{}g", "锌层{}g/m2"),
        ),
        units=("m", "m", "piece:根"),
        draw={"section": ("",), "thickness": listed("0.5 0.6 0.8 1 1.2"), "zinc": listed("80 100 120 180")},
        fit=_stud,
    ),
)

OPENINGS = (
    Trade(
        code="DW-ALW",
        category="门窗/铝窗",
        names=("铝合金窗", "铝合金{opening}窗", "断桥铝{opening}窗", "断桥铝合金窗"),
        parts=(
            say("series", "{}系列", "{}系"),
            words(
                "opening",
                {
                    "casement 平开": "平开",
                    "tilt-turn 内开内倒": "内开内倒",
                    "sliding 推拉": "推拉",
                    "fixed 固定": "固定",
                },
                "{w}",
                "{w}窗",
            ),
            say("glass", "{}", "玻璃{}"),
            dims("width height", "{width}×{height}", "洞口{width}×{height}", "宽{width} 高{height}"),
        ),
        units=("m2", "piece:樘"),
        draw={
            "series": listed("55 60 65 70 80 90"),
            "glass": listed("6+12A+6 5+9A+5 6Low-E+12A+6 5+12A+5+12A+5 6+12Ar+6Low-E"),
            "width": listed("600 900 1200 1500 1800 2400"),
            "height": listed("900 1200 1500 1800 2100"),
        },
    ),
    Trade(
        code="DW-PVW",
        category="门窗/塑窗",
        names=("塑钢窗", "塑钢{opening}窗", "PVC-U塑料窗", "塑料{opening}窗"),
        parts=(
            say("series", "{}系列", "{}系"),
            words("opening", {"casement 平开": "平开", "sliding 推拉": "推拉", "fixed 固定": "固定"}, "{w}", "{w}窗"),
        ),
        units=("m2", "piece:樘"),
        draw={"series": listed("60 65 70 80 82")},
    ),
    Trade(
        code="DW-FIRE",
        category="门窗/防火门",
        names=("{material}防火门", "{rating}防火门", "{material}{rating}防火门", "防火门"),
        parts=(
            words(
                "material",
                {"steel 钢质": "钢质|钢制", "wood 木质": "木质|木制", "steel-wood 钢木质": "钢木质"},
            ),
            words("rating", {"A1.50 甲级": "甲级|A1.50(甲级)", "A1.00 乙级": "乙级|A1.00(乙级)", "A0.50 丙级": "丙级"}),
            words("leaf", {"single": "单扇|单开", "double": "双扇|双开"}),
            dims("width height", "{width}×{height}", "洞口{width}×{height}", "{width}×{height}mm"),
        ),
        units=("piece:樘", "m2"),
        draw={"width": ("",), "height": listed("2000 2100 2200 2400")},
        fit=_firedoor,
    ),
    Trade(
        code="DW-WOOD",
        category="门窗/木门",
        names=("木门", "{kind}门", "室内木门", "{kind}套装门", "室内{kind}木门"),
        parts=(
            words(
                "kind",
                {"solid 实木": "实木", "composite 实木复合": "实木复合", "laminate 免漆": "免漆"},
            ),
            dims("width height", "{width}×{height}", "洞口{width}×{height}", "{width}×{height}mm"),
            say("formaldehyde", "{}级", "{}", "甲醛释放{}级"),
        ),
        units=("piece:樘", "piece:樘", "piece:套"),
        draw={"width": listed("700 800 900 1000"), "height": listed("2000 2050 2100 2200")},
    ),
    Trade(
        code="DW-GLASS",
        category="门窗/玻璃",
        names=("{tempered}玻璃", "建筑玻璃", "{tempered}玻璃(成品)"),
        parts=(
            say("build", "{}", "构造{}", "{}mm"),
            words("tempered", {"true": "钢化", "false": "非钢化|不钢化"}),
            words("lowe", {"none": "无Low-E", "single": "单银Low-E", "double": "双银Low-E"}),
        ),
        units=("m2",),
        draw={"build": listed("6+12A+6 5+9A+5 8+12A+8 6+1.14PVB+6 8+1.52PVB+8 6+12Ar+6")},
    ),
)

LAYERS = (
    Trade(
        code="WI-SBS",
        category="防水",
        names=("SBS防水卷材", "SBS改性沥青防水卷材", "弹性体改性沥青防水卷材", "SBS卷材"),
        parts=(
            roman("type", "型", "I", "II"),
            words(
                "reinforcement",
                {"PY polyester": "PY|聚酯胎", "G glass": "G|玻纤胎", "PYG": "PYG|玻纤增强聚酯胎"},
                "{w}",
            ),
            words("surface", {"PE": "PE|PE膜", "S sand": "S|细砂", "M mineral": "M|矿物粒料"}, "{w}", "上表面{w}"),
            say("thickness", "{}mm", "{}mm厚", "厚{}mm"),
        ),
        units=("m2", "m2", "roll"),
    ),
    Trade(
        code="WI-PU",
        category="防水",
        names=("聚氨酯防水涂料", "{component}聚氨酯防水涂料", "聚氨酯涂膜防水"),
        parts=(
            words("component", {"S single": "单组分|S型单组分", "M multi": "多组分|双组份"}),
            roman("class", "型"),
            say("voc", "{}类", "有害物质限量{}类"),
        ),
        units=("kg", "drum"),
    ),
    Trade(
        code="WI-EPS",
        category="保温",
        names=("EPS板", "模塑聚苯板", "EPS聚苯板", "聚苯板(EPS)"),
        parts=(
            say("density", "{}kg/m3", "容重{}", "表观密度{}kg/m³"),
            say("thickness", "{}mm厚", "厚{}mm", "δ={}"),
            _FIRE,
        ),
        units=("m3", "m2"),
        draw={"density": listed("18 20 22 25 30"), "thickness": listed("20 30 50 60 80 100 120")},
    ),
    Trade(
        code="WI-XPS",
        category="保温",
        names=("挤塑板", "XPS挤塑板", "挤塑聚苯板", "XPS保温板"),
        parts=(say("grade", "{}", "{}型"), say("thickness", "{}mm厚", "厚{}mm", "δ={}", "{}厚"), _FIRE),
        units=("m3", "m2"),
        draw={"thickness": listed("20 30 40 50 60 80 100")},
    ),
    Trade(
        code="WI-ROCK",
        category="保温",
        names=("岩棉{kind}", "外墙外保温岩棉{kind}", "外墙岩棉{kind}"),
        parts=(
            words("kind", {"board 板": "板", "strip 条": "条"}, kept=True),
            say("density", "{}kg/m3", "容重{}", "密度{}kg/m³"),
            say("tensile", "{}", "抗拉{}"),
            say("thickness", "{}mm厚", "厚{}mm", "δ={}", "{}厚"),
        ),
        units=("m3", "m2"),
        draw={"density": listed("100 120 140 160"), "thickness": listed("30 50 80 100 120")},
        fit=_rock,
    ),
)

TRADES = (*MASONRY, *OPENINGS, *LAYERS)
