"""What goes wrong at the keyboard and what clerks add: it never changes what the row names."""

import re
from random import Random

SLIPS = {
    "螺纹": ("罗纹", "螺蚊", "罗文"),
    "钢筋": ("刚筋", "钢巾"),
    "混凝土": ("混泥土", "混凝士"),
    "镀锌": ("度锌", "镀辛"),
    "加气": ("加汽", "加气气"),
    "砌块": ("切块", "彻块"),
    "岩棉": ("岩绵", "言棉"),
    "石膏": ("石高", "石羔"),
    "电缆": ("电揽", "电览"),
    "桥架": ("桥驾", "轿架"),
    "蝶阀": ("碟阀", "蝶伐"),
    "扣件": ("扣健", "口件"),
    "龙骨": ("龙古", "尤骨"),
    "防火门": ("防火们", "放火门"),
    "卷材": ("卷才", "券材"),
    "喷头": ("碰头", "喷投"),
    "灌浆": ("灌桨", "罐浆"),
    "套筒": ("套桶", "套简"),
    "水泥": ("水坭", "水尼"),
    "砂浆": ("沙浆", "砂桨"),
    "叠合": ("迭合", "叠和"),
    "管桩": ("管庄", "管桩桩"),
    "模板": ("模版", "摸板"),
    "槽钢": ("曹钢", "糟钢"),
    "螺栓": ("螺拴", "罗栓"),
    "钢绞线": ("钢绞钱", "钢铰线"),
    "挤塑": ("挤素", "挤朔"),
    "涂料": ("途料", "涂科"),
    "风管": ("凤管", "风官"),
    "配电箱": ("配电相", "酡电箱"),
    "坐便器": ("座便器", "坐便汽"),
    "瓷砖": ("磁砖", "瓷专"),
    "膨胀": ("膨涨", "彭胀"),
    "盘扣": ("盘口", "盘扣扣"),
    "球墨": ("球磨", "求墨"),
    "铝合金": ("吕合金", "铝和金"),
    "楼承板": ("楼乘板", "楼成板"),
    "钢板": ("刚板", "钢版"),
    "预制": ("予制", "预治"),
}
"""Sound-alikes, look-alikes and doubled characters."""

LATIN_SLIPS = (("HRB", "HBR"), ("YJV", "YVJ"), ("DN", "ND"), ("400E", "4O0E"), ("Q355", "Q35S"), ("PPR", "PRP"))
REMARKS = (
    "(集采)",
    "(甲供)",
    "(2023年新增)",
    " 2024.03.15启用",
    "(含税含运)",
    "【勿重复申请】",
    "(国标)",
    "(一期用)",
    " 20230901",
    "(优质)",
)
BRANDS = ("宏曜", "鑫砼达", "龙峘", "瑞垚", "恒屹", "联昇", "金岑", "华珺", "天霁", "德淼")
OLD_STANDARDS = {
    "RB-HRB": "GB/T 1499.2-2018",
    "RB-COIL": "GB/T 1499.2-2018",
    "RB-HPB": "GB/T 1499.1-2017",
    "RB-STRAND": "GB/T 5224-2014",
    "ST-H": "GB/T 11263-2017",
    "ST-SEC": "GB/T 706-2008",
    "CN-CEM": "GB 175-2007",
    "CN-SAND": "GB/T 14684-2011",
    "CN-AGG": "GB/T 14685-2011",
    "CN-PILE": "GB 13476-2009",
    "FS-CLAMP": "GB 15831-2006",
    "WL-AAC": "GB 11968-2006",
    "WL-PANEL": "GB/T 23451-2009",
    "WL-GYP": "GB/T 9775-2008",
    "WL-STUD": "GB/T 11981-2008",
    "DW-ALW": "GB/T 8478-2008",
    "DW-FIRE": "GB 12955-2008",
    "WI-XPS": "GB/T 10801.2-2018",
    "ME-PPR": "GB/T 18742.2-2002",
    "ME-UPVC": "GB/T 5836.1-2006",
    "ME-GSP": "GB/T 3091-2015",
    "ME-DIP": "GB/T 13295-2013",
    "ME-CABLE": "GB/T 12706.1-2008",
    "FN-TILE": "GB/T 4100-2006",
}
"""Editions that have been replaced; recalled, for noise only."""

_WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
_LONG_NUMBER = re.compile(r"(?<![\w.,\-/(])(\d{1,2})(\d{3})(?![\w.,\-])|(?<=[*=])(\d{1,2})(\d{3})(?![\d.,\-])")


def slip_of(text: str, random: Random) -> str | None:
    """The text with one slip of the keyboard, or None when none of ours fits."""
    fitting = [each for each in SLIPS if each in text]
    if not fitting:
        return None
    word = random.choice(fitting)
    return text.replace(word, random.choice(SLIPS[word]), 1)


def latin_slip_of(text: str) -> str | None:
    """Letters the wrong way round, a letter for a digit."""
    return next((text.replace(right, wrong, 1) for right, wrong in LATIN_SLIPS if right in text), None)


def full_width(text: str) -> str:
    """Digits and letters as a Chinese input method leaves them."""
    return text.translate(_WIDE)


def with_thousands(text: str) -> str:
    """2,440 for 2440, in lengths only: a number glued to letters or a hyphen is a code."""
    return _LONG_NUMBER.sub(lambda found: f"{found[1] or found[3]},{found[2] or found[4]}", text)
