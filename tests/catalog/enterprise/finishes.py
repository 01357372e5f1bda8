"""Prefabricated kitchens and bathrooms, sanitary ware; tiles, paint, anchors, safety gear, recycled aggregate."""

from random import Random

from tests.catalog.enterprise.trade import Trade, Values, dims, listed, roman, say, words

_WATER = words("efficiency", {"1": "一级水效|1级水效", "2": "二级水效|2级水效", "3": "三级水效|3级水效"})


def _bath(values: Values, _: Random) -> None:
    values["model"] = f"BU{int(values['inner_l']) // 100}{int(values['inner_w']) // 100}"


def _kitchen(values: Values, _: Random) -> None:
    values["model"] = f"CF-{values['layout']}{round(float(values['length']) * 10)}"


def _anchor(values: Values, _: Random) -> None:
    """Stainless anchors are left as they are; the others are coated."""
    if values["material"].startswith("A"):
        values["finish"] = "plain 本色"


def _gear(values: Values, random: Random) -> None:
    if values["kind"].startswith("safety shoes"):
        values["size"] = random.choice(listed("40码 41码 42码 43码 44码"))
    else:
        values.pop("size", None)


TRADES = (
    Trade(
        code="IK-BATH",
        category="集成部品",
        names=("整体卫浴", "集成卫生间", "整体浴室"),
        parts=(
            say("model", "{}", "型号{}"),
            dims(
                "inner_l inner_w", "{inner_l}×{inner_w}", "内净{inner_l}×{inner_w}", "内净长{inner_l} 内净宽{inner_w}"
            ),
            words(
                "system",
                {"SMC 模压": "SMC|SMC模压", "steel-tile 瓷砖钢板": "瓷砖钢板", "FRP honeycomb 蜂窝": "FRP蜂窝|蜂窝"},
            ),
            words("drain", {"same floor 同层": "同层排水", "below floor 异层": "异层排水"}),
            words("hand", {"L": "L(左)|左型", "R": "R(右)|右型"}),
        ),
        units=("set",),
        draw={
            "model": ("",),
            "inner_l": listed("1400 1600 1800 2000 2100"),
            "inner_w": listed("1100 1200 1400 1500 1600"),
        },
        tells={"model": "inner_l inner_w"},
        fit=_bath,
    ),
    Trade(
        code="IK-KITCH",
        category="集成部品",
        names=("集成厨房", "整体厨房", "整体橱柜"),
        parts=(
            say("model", "{}", "型号{}"),
            words(
                "layout",
                {"I": "I型|一字型", "L": "L型|L形", "U": "U型|U形", "II": "II型|双一字型"},
                "{w}",
                "{w}布局",
            ),
            say("length", "{}延米", "{}m"),
            say("board", "{}级板材", "{}级", "板材{}级"),
        ),
        units=("set", "set", "m"),
        draw={"model": ("",), "length": listed("1.8 2.1 2.4 3 3.6 4.2")},
        tells={"model": "layout length"},
        fit=_kitchen,
    ),
    Trade(
        code="IK-WC",
        category="洁具",
        names=("坐便器", "{kind}坐便器", "{kind}马桶", "马桶"),
        parts=(
            words(
                "kind",
                {"close-coupled 连体": "连体", "two-piece 分体": "分体", "wall-hung 壁挂": "壁挂"},
                "{w}式",
                "{w}",
            ),
            say("water", "{}L", "用水量{}L", "{}升"),
            say("rough_in", "坑距{}", "{}坑距", "坑距{}mm"),
            _WATER,
        ),
        units=("piece:套", "piece:个", "piece:件"),
        draw={"water": listed("3.5 4 4.8 5 6")},
    ),
    Trade(
        code="IK-TAP",
        category="洁具",
        names=("{kind}龙头", "{kind}水嘴", "陶瓷片密封水嘴", "水龙头"),
        parts=(
            words(
                "kind",
                {"basin 面盆": "面盆", "kitchen 厨房": "厨房", "shower 淋浴": "淋浴", "bibcock 普通": "普通"},
                "{w}",
                "{w}用",
            ),
            _WATER,
        ),
        units=("piece:个", "piece:只"),
    ),
    Trade(
        code="FN-TILE",
        category="装饰/瓷砖",
        names=("瓷砖", "陶瓷砖", "墙地砖", "{kind}砖"),
        parts=(
            words(
                "kind",
                {"BIa porcelain 瓷质": "瓷质|瓷质BIa", "BIb": "BIb", "BIIa": "BIIa", "BIII wall 陶质": "陶质|陶质BIII"},
                "{w}",
                "{w}类",
            ),
            say("size", "{}", "{}mm"),
        ),
        units=("m2", "m2", "piece:片"),
    ),
    Trade(
        code="FN-PAINT",
        category="装饰/涂料",
        names=("内墙乳胶漆", "乳胶漆", "内墙涂料", "合成树脂乳液内墙涂料"),
        parts=(
            words(
                "grade", {"premium 优等": "优等品|优等", "first 一等": "一等品|一等", "qualified 合格": "合格品|合格"}
            ),
            say("colour", "{}", "颜色{}"),
        ),
        units=("kg", "drum"),
        draw={"colour": listed("白色 米白 浅灰 RAL9010 RAL7035 象牙白")},
    ),
    Trade(
        code="MR-ANCHOR",
        category="五金",
        names=("膨胀螺栓", "膨胀螺丝", "{finish}膨胀螺栓", "金属膨胀螺栓"),
        parts=(
            say("spec", "{}", "{}mm"),
            words("material", {"Q235": "Q235", "8.8": "8.8级", "A2-70": "A2-70|不锈钢A2-70", "A4-70": "A4-70"}),
            words("finish", {"zinc 镀锌": "镀锌", "HDG 热镀锌": "热镀锌", "plain 本色": "本色"}),
        ),
        units=("piece:套", "piece:个", "kg"),
        draw={"spec": listed("M6x60 M8x80 M10x100 M12x120 M16x150 M20x200")},
        fit=_anchor,
    ),
    Trade(
        code="MR-PPE",
        category="劳保",
        names=("{kind}", "劳保{kind}", "{kind}(劳保)"),
        parts=(
            words(
                "kind",
                {
                    "helmet 安全帽": "安全帽",
                    "harness 安全带": "安全带",
                    "safety shoes 安全鞋": "安全鞋|防砸安全鞋",
                    "gloves 手套": "手套|线手套",
                    "net 安全网": "安全网",
                },
                kept=True,
            ),
            say("size", "{}", "尺码{}"),
        ),
        units=("piece:个", "piece:件"),
        draw={"size": ("",)},
        optional=("size",),
        fit=_gear,
    ),
    Trade(
        code="RC-AGG",
        category="地材/再生",
        names=("{kind}", "再生骨料", "{kind}(建筑垃圾再生)"),
        parts=(
            words(
                "kind",
                {"coarse 再生粗骨料": "再生粗骨料", "fine 再生细骨料": "再生细骨料"},
            ),
            roman("class", "类"),
        ),
        units=("t", "m3"),
    ),
)
