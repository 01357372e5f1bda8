"""Reinforcement: bars, mesh, strand, couplers."""

from random import Random

from tests.catalog.enterprise.trade import Part, Trade, Values, dims, listed, roman, say, words

_GRADES = {
    "HRB400": "HRB400|三级钢|Ⅲ级钢|III级钢",
    "HRB400E": "HRB400E|三级抗震|Ⅲ级抗震|III级抗震钢",
    "HRB500": "HRB500|四级钢|Ⅳ级钢",
    "HRB500E": "HRB500E|四级抗震|Ⅳ级抗震",
    "HRB600": "HRB600|五级钢",
    "HRBF400": "HRBF400|细晶粒HRBF400",
    "HRBF400E": "HRBF400E|细晶粒HRBF400E",
    "HRBF500": "HRBF500|细晶粒HRBF500",
    "HRBF500E": "HRBF500E|细晶粒HRBF500E",
}
_PLAIN_GRADES = {key: key for key in (*_GRADES, "CRB550", "CRB600H")}
_DIAMETER = say("diameter", "Φ{}", "Φ{}mm", "{}mm")
_BAR = say("bar_dia", "Φ{}", "Φ{}mm", "适用钢筋Φ{}")
_MESHES = {"A": ("200", "200", 0), "F": ("100", "100", 0), "D": ("100", "100", 0), "E": ("150", "150", 0)}


def _mesh(values: Values, random: Random) -> None:
    """The type letter gives the spacing, the number the wire: A10 is Φ10@200 both ways."""
    letter, wire = random.choice(listed("A D E F")), random.choice(listed("5 6 7 8 9 10 12"))
    long, cross, _ = _MESHES[letter]
    values |= {"mesh_type": f"{letter}{wire}", "wire_dia_long": wire, "wire_dia_cross": wire}
    values |= {"spacing_long": long, "spacing_cross": cross}


def _strand(values: Values, random: Random) -> None:
    sizes = {"1x2": "12.7", "1x3": "12.7", "1x19": random.choice(("17.8", "21.6"))}
    values["diameter"] = sizes.get(values["structure"], values["diameter"])


def _truss(values: Values, random: Random) -> None:
    height, (letter, top, bottom) = (
        random.choice(listed("70 80 90 100 110 120 150")),
        random.choice((("A", "8", "8"), ("B", "10", "8"), ("C", "10", "10"), ("D", "12", "10"))),
    )
    values |= {"model": f"{letter}{height}", "height": height, "top_dia": top, "bottom_dia": bottom}


_MESH_WIRES: Part = dims(
    "wire_dia_long wire_dia_cross spacing_long spacing_cross",
    "Φ{wire_dia_long}@{spacing_long}×Φ{wire_dia_cross}@{spacing_cross}",
    "纵筋Φ{wire_dia_long}间距{spacing_long} 横筋Φ{wire_dia_cross}间距{spacing_cross}",
)

TRADES = (
    Trade(
        code="RB-HRB",
        category="钢材/钢筋",
        names=("螺纹钢", "热轧带肋钢筋", "螺纹钢筋", "钢筋", "{grade}螺纹钢", "{grade}钢筋"),
        parts=(words("grade", _GRADES), _DIAMETER, say("length", "{}m", "L={}m", "{}米", "定尺{}米")),
        marks=("{grade} Φ{diameter}×{length}m", "Φ{diameter}×{length}m {grade}", "{grade}-Φ{diameter}-{length}m"),
        units=("t", "t", "t", "piece:根"),
    ),
    Trade(
        code="RB-COIL",
        category="钢材/钢筋",
        names=("盘螺", "螺纹盘条", "热轧带肋钢筋(盘螺)", "{grade}盘螺"),
        parts=(words("grade", _GRADES), _DIAMETER),
        marks=("{grade} Φ{diameter}", "Φ{diameter} {grade}"),
        units=("t",),
    ),
    Trade(
        code="RB-HPB",
        category="钢材/钢筋",
        names=("圆钢", "光圆钢筋", "热轧光圆钢筋", "盘圆", "高线(盘圆)"),
        parts=(words("grade", {"HPB300": "HPB300|一级钢|Ⅰ级钢"}, kept=True), _DIAMETER),
        marks=("{grade} Φ{diameter}", "Φ{diameter} {grade}"),
        units=("t",),
    ),
    Trade(
        code="RB-MESH",
        category="钢材/钢筋",
        names=("钢筋焊接网", "焊接钢筋网片", "钢筋网片", "{grade}钢筋网片"),
        parts=(say("mesh_type", "{}", "{}型"), _MESH_WIRES, words("grade", _PLAIN_GRADES)),
        units=("t", "m2"),
        draw=dict.fromkeys(listed("mesh_type wire_dia_long wire_dia_cross spacing_long spacing_cross"), ("",)),
        tells={"mesh_type": "wire_dia_long wire_dia_cross spacing_long spacing_cross"},
        fit=_mesh,
    ),
    Trade(
        code="RB-STRAND",
        category="钢材/预应力",
        names=("钢绞线", "预应力钢绞线", "预应力混凝土用钢绞线"),
        parts=(
            say("structure", "{}", "{}股"),
            say("diameter", "Φs{}", "{}mm", "公称直径{}"),
            say("strength", "{}MPa", "{}级", "强度{}"),
        ),
        marks=("{structure}-{diameter}-{strength}", "{structure} Φ{diameter} {strength}MPa"),
        units=("t",),
        fit=_strand,
    ),
    Trade(
        code="RB-TRUSS",
        category="钢材/钢筋",
        names=("钢筋桁架", "叠合板用钢筋桁架", "桁架钢筋"),
        parts=(
            say("model", "{}", "{}型"),
            say("height", "设计高度{}", "H={}", "高{}mm"),
            say("top_dia", "上弦Φ{}", "上弦筋Φ{}"),
            say("bottom_dia", "下弦Φ{}", "下弦筋Φ{}"),
        ),
        units=("t", "m"),
        draw=dict.fromkeys(listed("model height top_dia bottom_dia"), ("",)),
        tells={"model": "height top_dia bottom_dia"},
        fit=_truss,
    ),
    Trade(
        code="RB-CUT",
        category="钢材/加工",
        names=("成型钢筋", "成型钢筋制品", "钢筋加工件(配送)", "{grade}成型钢筋"),
        parts=(
            say("bbs_no", "料表{}", "料单号{}", "料表编号{}"),
            say("shape_code", "形状{}", "形状代码{}"),
            words("grade", _GRADES),
            _DIAMETER,
        ),
        units=("t", "t", "piece:件"),
        draw={
            "bbs_no": listed("LB-3F-012 KZ-5F-003 KL-7F-021 JQ-2F-008 CT-01-002 DB-B1-117"),
            "shape_code": listed("00 11 21 31 41 51 67"),
        },
    ),
    Trade(
        code="RB-COUPLER",
        category="钢材/连接件",
        names=("{kind}套筒", "钢筋{kind}套筒", "钢筋机械连接套筒", "{kind}连接套筒"),
        parts=(
            words(
                "kind",
                {
                    "straight thread 直螺纹": "直螺纹|滚轧直螺纹",
                    "taper thread 锥螺纹": "锥螺纹",
                    "reducer 异径": "异径|变径",
                    "cold-swaged 挤压": "挤压|冷挤压",
                },
                "{w}",
            ),
            _BAR,
            roman("joint_grade", "级"),
        ),
        units=("piece:个", "piece:只"),
    ),
    Trade(
        code="RB-SLEEVE",
        category="钢材/连接件",
        names=("{kind}套筒", "钢筋{kind}套筒", "灌浆套筒"),
        parts=(
            words("kind", {"full grout 全灌浆": "全灌浆", "half grout 半灌浆": "半灌浆"}),
            _BAR,
            words("material", {"ductile iron 球墨铸铁": "球墨铸铁|球铁", "steel 钢": "钢制|钢质"}),
        ),
        units=("piece:个", "piece:只"),
    ),
)
