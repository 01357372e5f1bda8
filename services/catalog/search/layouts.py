"""How the trade writes the numbers of a component: in which order sizes stand, and which letters announce what. Data.

Ours, from how drawings, delivery notes and order lists are written.
"""

from collections.abc import Mapping, Sequence

Layout = tuple[str, ...]
"""The properties a size's numbers stand for, in order. `spec*3`: three numbers are one text property;
`_`: a number that makes no other variant, such as the wall of a pipe whose series says it already."""

LAYOUTS: Mapping[str, Sequence[Layout]] = {
    "RB-HRB": (("diameter", "length"),),
    "RB-MESH": (("wire_dia_long", "spacing_long", "spacing_cross"), ("spacing_long", "spacing_cross")),
    "ST-H": (("spec*4", "length"), ("spec*4",)),
    "ST-SEC": (("spec*3",), ("spec*2",)),
    "ST-PLATE": (("thickness", "width", "length"), ("thickness", "width"), ("width", "length")),
    "ST-RHS": (("spec*3", "length"), ("spec*3",)),
    "ST-SMLS": (("od", "t", "_"), ("od", "t")),
    "ST-BOLT": (("diameter", "length"),),
    "FS-PLY": (("size*2", "thickness"), ("size*2",)),
    "FS-TUBE": (("spec*2", "length"), ("spec*2",)),
    "WL-AAC": (("length", "width", "height"), ("length", "height", "width")),
    "WL-BRICK": (("size*3",),),
    "WL-CBLK": (("size*3",),),
    "WL-ALC": (("length", "width", "thickness"), ("thickness", "width", "length"), ("width", "thickness")),
    "WL-PANEL": (("length", "width", "thickness"), ("thickness", "width", "length"), ("width", "thickness")),
    "WL-GYP": (("size*2", "thickness"), ("size*2",)),
    "WL-STUD": (("section*2", "thickness", "length"), ("section*2", "thickness"), ("section*2",)),
    "PC-SLAB": (("span", "width", "precast_t"), ("span", "width")),
    "PC-PSLAB": (("span", "width", "thickness"), ("span", "width")),
    "PC-XWALL": (("length", "height", "structural_t"), ("length", "height")),
    "PC-IWALL": (("length", "height", "thickness"), ("length", "height")),
    "PC-BEAM": (("width", "precast_h", "length"), ("width", "precast_h")),
    "PC-COL": (("width", "depth", "length"), ("width", "depth")),
    "PC-STAIR": (("storey_h", "clear_w"),),
    "PC-BALC": (("length", "overhang"),),
    "PC-HCS": (("span", "width", "thickness"), ("thickness", "width", "span"), ("width", "thickness")),
    "PC-PIPE": (("dn", "length"),),
    "DW-ALW": (("width", "height"),),
    "DW-FIRE": (("width", "height"),),
    "DW-WOOD": (("width", "height"),),
    "ME-PPR": (("dn", "_"),),
    "ME-UPVC": (("dn", "wall"),),
    "ME-GSP": (("dn", "wall"),),
    "ME-DUCT": (("section*2", "thickness"), ("section*2",)),
    "ME-TRAY": (("width", "height", "thickness"), ("width", "height")),
    "IK-BATH": (("inner_l", "inner_w", "_"), ("inner_l", "inner_w")),
    "FN-TILE": (("size*2", "_"), ("size*2",)),
    "MR-ANCHOR": (("spec*2",),),
    "WI-EPS": (("_", "_", "thickness"),),
    "WI-XPS": (("_", "_", "thickness"),),
    "WI-ROCK": (("_", "_", "thickness"),),
    "CN-PILE": (("od", "wall", "length"), ("od", "wall")),
}

LABELS: Mapping[str, Sequence[str]] = {
    "diameter": ("直径", "公称直径", "d="),
    "bar_dia": ("钢筋直径", "直径", "适用钢筋", "钢筋", "d="),
    "length": ("定尺长度", "定尺", "长度", "板长", "长", "l=", "l:"),
    "width": ("宽度", "板宽", "宽", "w=", "b="),
    "height": ("高度", "高", "h="),
    "thickness": ("厚度", "板厚", "壁厚", "厚", "δ=", "δ", "t=", "th="),
    "panel_thickness": ("壁厚", "厚度", "厚"),
    "precast_t": ("预制厚度", "预制厚", "板厚", "厚度", "厚"),
    "wall": ("壁厚", "管壁", "厚度", "δ=", "δ", "t=", "e=", "en"),
    "t": ("壁厚", "厚度", "δ=", "t="),
    "od": ("外径", "直径", "od"),
    "slump": ("坍落度", "塌落度", "坍落", "t="),
    "max_aggregate": ("最大粒径", "骨料粒径", "粒径", "骨料", "石子"),
    "density": ("表观密度", "密度", "容重", "干密度"),
    "zinc": ("双面镀锌量", "双面镀锌", "镀锌量", "镀锌层", "镀锌", "锌层", "锌量", "z"),
    "fineness": ("细度模数", "细度", "mx=", "mx", "fm="),
    "strength_28d": ("28d抗压强度", "28d抗压", "28d强度", "28天抗压强度", "28天强度", "抗压强度", "28d"),
    "rough_in": ("坑距", "孔距"),
    "water": ("用水量", "水量"),
    "power": ("功率",),
    "cct": ("色温",),
    "current": ("额定电流", "电流", "in="),
    "temp": ("公称动作温度", "动作温度", "温度"),
    "k": ("流量系数", "k=", "k"),
    "span": ("标志跨度", "跨度", "跨"),
    "storey_h": ("层高",),
    "clear_w": ("梯段宽", "梯宽", "净宽"),
    "structural_t": ("内叶厚度", "内叶板厚", "内叶板", "内叶", "结构层"),
    "insulation_t": ("保温厚度", "保温层厚", "保温层", "保温"),
    "outer_t": ("外叶厚度", "外叶板厚", "外叶板", "外叶"),
    "overhang": ("挑出长度", "挑出", "悬挑长度", "悬挑"),
    "depth": ("截面高",),
    "precast_h": ("预制高度", "预制高"),
    "inner_l": ("内净长", "净长"),
    "inner_w": ("内净宽", "净宽"),
    "truss_height": ("桁架高度", "桁架高"),
    "top_dia": ("上弦筋直径", "上弦直径", "上弦筋", "上弦"),
    "bottom_dia": ("下弦筋直径", "下弦直径", "下弦筋", "下弦"),
    "wire_dia_long": ("纵筋直径", "纵筋"),
    "wire_dia_cross": ("横筋直径", "横筋"),
    "spacing_long": ("纵筋间距", "纵距"),
    "spacing_cross": ("横筋间距", "横距"),
    "dn": ("公称直径", "公称外径", "公称内径", "直径", "内径", "外径", "口径", "管径", "d"),
    "pn": ("公称压力", "压力"),
    "strength": ("强度级别", "强度"),
    "section": ("截面积", "截面"),
    "series": ("系列",),
}
"""Words and letters in front of a number."""

TEXT_LABELS: Mapping[str, Sequence[str]] = {
    "piece_mark": ("构件编号", "构件号", "编号", "件号"),
    "type_mark": ("型号", "规格型号", "图集型号"),
    "model": ("型号", "规格型号"),
    "mesh_type": ("型号", "网片型号"),
    "bbs_no": ("料表编号", "料表号", "料表", "料单编号", "料单号", "料单"),
    "shape_code": ("形状代码", "形状代号", "形状"),
    "drawing_no": ("深化图号", "深化图", "图号"),
    "revision": ("版本", "版次", "rev"),
    "scheme_no": ("系统图号", "系统图", "箱号", "柜号", "编号"),
    "size": ("尺码", "号码"),
}
"""Words in front of a mark."""

SUFFIXES: Mapping[str, Sequence[str]] = {
    "series": ("系列", "系"),
    "slump": ("±",),
    "thickness": ("厚",),
    "precast_t": ("厚",),
    "wall": ("厚",),
    "t": ("厚",),
    "length": ("延长米", "延米", "长"),
    "width": ("宽",),
    "height": ("高",),
    "temp": ("℃", "°c", "度"),
    "strength_28d": ("级",),
}
"""Words behind a number."""

MARKS: Mapping[str, str] = {
    "DW-FIRE": r"(?:g?fm|mfm|m)[甲乙丙]?-?",
    "DW-WOOD": r"m-?",
    "DW-ALW": r"(?:lc|plc|tlc|gc|c)-?",
    "DW-PVW": r"(?:sc|tsc|psc|c)-?",
}
"""Marks of doors and windows: FM1021 is 1000 wide and 2100 high."""
