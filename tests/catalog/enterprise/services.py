"""Pipes, valves, cables, ducts, trays, lights, boards, sprinklers."""

from random import Random

from tests.catalog.enterprise.trade import Trade, Values, dims, listed, say, words

_COLOURS = {
    "red": "红色|红",
    "yellow": "黄色|黄",
    "green": "绿色|绿",
    "blue": "蓝色|蓝",
    "yellow-green": "黄绿双色|双色",
}
_IP = say("ip", "{}", "防护等级{}")


def _upvc(values: Values, random: Random) -> None:
    walls = {"50": "2", "75": "2.3", "110": "3.2", "160": "4", "200": "4.9", "250": "6.2", "315": "7.8"}
    values["wall"] = walls[values["dn"]]


def _welded(values: Values, random: Random) -> None:
    walls = {"15": "2.8", "20": "2.8", "25": "3.2", "32": "3.5", "40": "3.5", "50": "3.8", "65": "4", "80": "4"}
    values["wall"] = walls.get(values["dn"], random.choice(listed("4 4.5 5 6")))


def _cable(values: Values, random: Random) -> None:
    """Mineral insulated cable is class A by nature; halogen-free types carry their class in the model."""
    if values["model"] == "BTTZ":
        values["fire"] = "A"
    elif values["fire"] == "A":
        values["fire"] = "ZA"
    if values["model"].startswith("WDZ") and values["fire"] == "none":
        values["fire"] = "ZB"


def _cable_texts(values: Values) -> dict[str, str]:
    """ZA-YJV, WDZA-YJY, WDZAN-YJY as they are printed on the sheath; B1 and A stand behind the model."""
    model, fire = values["model"], values["fire"]
    if fire == "none":
        full = f"{model}(非阻燃)"
    elif not fire.startswith("Z"):
        full = f"{model} {fire}级"
    elif model.startswith("WDZN"):
        full = model.replace("WDZN", f"WD{fire}N")
    elif model.startswith("WDZ"):
        full = model.replace("WDZ", f"WD{fire}")
    else:
        full = f"{fire}-{model}"
    return {"full": full}


def _valve_texts(values: Values) -> dict[str, str]:
    """D371X-16: 3 worm gear, 9 electric, none lever; 7 wafer, 4 flanged, 8 grooved; pressure in bar."""
    actuator = {"l": "", "g": "3", "e": "9"}[values["actuator"][0]]
    end = {"w": "7", "f": "4", "g": "8"}[values["end"][0]]
    return {"figure": f"D{actuator}{end}1X-{values['pn']}"}


TRADES = (
    Trade(
        code="ME-PPR",
        category="管材/给水",
        names=("PPR管", "PP-R给水管", "PPR冷热水管", "PP-R管"),
        parts=(say("dn", "De{}", "Φ{}", "dn{}"), say("series", "{}", "{}系列", "管系列{}")),
        marks=("{series} De{dn}",),
        units=("m", "m", "piece:根"),
    ),
    Trade(
        code="ME-UPVC",
        category="管材/排水",
        names=("UPVC排水管", "PVC-U排水管", "PVC排水管", "硬聚氯乙烯排水管"),
        parts=(say("dn", "De{}", "Φ{}", "dn{}"), say("wall", "壁厚{}mm", "壁厚{}", "{}mm厚")),
        marks=("Φ{dn}×{wall}", "De{dn}×{wall}mm"),
        units=("m", "m", "piece:根"),
        draw={"wall": ("",)},
        fit=_upvc,
    ),
    Trade(
        code="ME-GSP",
        category="管材/钢管",
        names=("{zinc}钢管", "{zinc}焊接钢管", "{zinc}焊管"),
        parts=(
            words("zinc", {"true": "镀锌|热镀锌|热浸镀锌", "false": "非镀锌|不镀锌"}, kept=True),
            say("dn", "DN{}", "Dn{}"),
            say("wall", "壁厚{}mm", "δ={}", "壁厚{}"),
        ),
        marks=("DN{dn}×{wall}",),
        units=("t", "m", "m"),
        draw={"wall": ("",)},
        fit=_welded,
    ),
    Trade(
        code="ME-DIP",
        category="管材/铸铁",
        names=("球墨铸铁管", "球墨铸铁给水管", "球墨管"),
        parts=(
            say("dn", "DN{}", "Dn{}"),
            say("class", "{}级", "{}"),
            say("joint", "{}型接口", "{}型"),
            words("lining", {"cement 水泥": "水泥内衬|水泥砂浆内衬", "epoxy 环氧": "环氧内衬|环氧树脂内衬"}),
        ),
        marks=("DN{dn}-{class}-{joint}型",),
        units=("m", "m", "t", "piece:根"),
    ),
    Trade(
        code="ME-VALVE",
        category="阀门",
        names=("蝶阀", "{end}蝶阀", "{actuator}{end}蝶阀"),
        parts=(
            say("dn", "DN{}", "Dn{}"),
            say("pn", "PN{}", "Pn{}"),
            words("end", {"wafer 对夹": "对夹|对夹式", "flanged 法兰": "法兰|法兰式", "grooved 沟槽": "沟槽|卡箍式"}),
            words(
                "actuator", {"lever 手柄": "手柄|手柄式", "gear 蜗轮": "蜗轮|蜗轮传动|涡轮", "electric 电动": "电动"}
            ),
        ),
        marks=("{figure} DN{dn}", "DN{dn} {figure}"),
        units=("piece:个", "piece:只", "piece:台"),
        also=_valve_texts,
    ),
    Trade(
        code="ME-CABLE",
        category="电气/电缆",
        names=("电力电缆", "电缆", "低压电力电缆", "低压电缆"),
        parts=(
            say("model", "{}", "型号{}"),
            words(
                "fire",
                {
                    "none": "非阻燃",
                    "ZA": "ZA|阻燃ZA|阻燃A级(ZA)",
                    "ZB": "ZB|阻燃ZB",
                    "ZC": "ZC|阻燃ZC",
                    "B1": "B1级|燃烧性能B1",
                    "A": "A级|燃烧性能A级",
                },
            ),
            say("cores", "{}", "{}mm²", "{}mm2"),
        ),
        marks=("{full} {cores}", "{full}-{cores}", "{full}-0.6/1kV {cores}"),
        units=("m", "m", "km"),
        draw={
            "cores": listed(
                "3x2.5 3x4 4x6 5x10 5x16 4x25+1x16 4x35+1x16 4x70+1x35 4x95+1x50 4x120+1x70 3x150+2x70 4x240"
            )
        },
        fit=_cable,
        also=_cable_texts,
    ),
    Trade(
        code="ME-WIRE",
        category="电气/电线",
        names=("电线", "铜芯电线", "绝缘电线", "{colour}电线"),
        parts=(say("model", "{}", "型号{}"), say("section", "{}mm²", "{}平方", "{}mm2"), words("colour", _COLOURS)),
        marks=("{model}{section}", "{model}-{section}", "{model} {section}mm²"),
        units=("roll", "m"),
    ),
    Trade(
        code="ME-DUCT",
        category="通风",
        names=("镀锌钢板风管", "镀锌风管", "镀锌铁皮风管", "通风管道(镀锌)"),
        parts=(
            say("section", "{}", "断面{}", "{}mm"),
            say("thickness", "板厚{}mm", "δ={}", "{}mm厚"),
            words("pressure", {"low": "低压", "medium": "中压", "high": "高压"}, "{w}", "{w}系统"),
            words(
                "joint",
                {"TDC": "TDC|TDC法兰", "angle flange 角钢法兰": "角钢法兰", "slip 薄钢板法兰": "薄钢板法兰"},
            ),
        ),
        units=("m2",),
        draw={"section": listed("320x200 400x200 500x320 630x400 800x400 1000x500 1250x630")},
    ),
    Trade(
        code="ME-TRAY",
        category="电气/桥架",
        names=("电缆桥架", "{kind}桥架", "{finish}{kind}桥架", "{kind}电缆桥架"),
        parts=(
            words("kind", {"trough 槽式": "槽式", "ladder 梯式": "梯式", "perforated 托盘": "托盘式|托盘"}),
            dims("width height", "{width}×{height}", "宽{width} 高{height}"),
            say("thickness", "板厚{}mm", "δ={}", "厚{}"),
            words("finish", {"galvanised 镀锌": "镀锌", "spray 喷塑": "喷塑|静电喷塑", "fire coat 防火": "防火"}),
        ),
        marks=("{width}×{height}×{thickness}",),
        units=("m", "m", "piece:节"),
        draw={"thickness": listed("1 1.2 1.5 2 2.5")},
    ),
    Trade(
        code="ME-LED",
        category="电气/灯具",
        names=("LED灯具", "LED{kind}", "{kind}(LED)"),
        parts=(
            words(
                "kind",
                {
                    "panel 面板": "面板灯|平板灯",
                    "downlight 筒灯": "筒灯",
                    "tube bracket 支架": "支架灯",
                    "emergency 应急": "应急灯",
                    "high-bay 工矿": "工矿灯",
                },
            ),
            say("power", "{}W", "{}瓦", "功率{}W"),
            say("cct", "{}K", "色温{}K"),
            _IP,
        ),
        units=("piece:只", "piece:盏", "piece:套"),
        draw={"power": listed("5 9 12 18 24 36 48 100 150"), "cct": listed("3000 4000 5000 5700 6500")},
    ),
    Trade(
        code="ME-DB",
        category="电气/配电箱",
        names=("配电箱", "低压配电箱", "动力配电箱", "照明配电箱"),
        parts=(
            say("scheme_no", "系统图号{}", "箱号{}", "{}"),
            say("current", "{}A", "额定电流{}A", "In={}A"),
            _IP,
            words("mount", {"wall 挂墙": "挂墙|壁挂", "recessed 暗装": "暗装|嵌墙暗装", "floor 落地": "落地"}),
        ),
        units=("piece:台", "piece:面"),
        draw={
            "scheme_no": listed("1AL1 2AL3 AP-B1-1 3ALE2 AT-WD-1 AL-5F-2"),
            "current": listed("32 40 63 100 160 250 400 630"),
        },
    ),
    Trade(
        code="ME-SPRK",
        category="消防",
        names=("{kind}喷头", "{kind}型洒水喷头", "洒水喷头", "消防喷淋头"),
        parts=(
            words(
                "kind",
                {
                    "pendent 下垂": "下垂|下喷",
                    "upright 直立": "直立|上喷",
                    "sidewall 边墙": "边墙",
                    "concealed 隐蔽": "隐蔽",
                },
                "{w}型",
                "{w}",
            ),
            say("temp", "{}℃", "动作温度{}℃", "{}度"),
            say("k", "K{}", "K={}", "流量系数{}"),
        ),
        units=("piece:只", "piece:个"),
    ),
)
