"""The enterprises, all invented, and how their clerks write.

Rates are shares of a house's rows. A sign chosen here is used throughout the house: that is what makes a house style.
"""

from dataclasses import dataclass

_UNIT_WORDS: dict[str, tuple[str, ...]] = {
    "t": ("吨", "t", "T"),
    "kg": ("千克", "kg", "公斤"),
    "m": ("米", "m", "M"),
    "km": ("千米", "km", "公里"),
    "m2": ("平方米", "㎡", "m2"),
    "m3": ("立方米", "m³", "m3"),
    "set": ("套", "套", "套"),
    "bag": ("袋", "袋", "包"),
    "roll": ("卷", "卷", "卷"),
    "drum": ("桶", "桶", "桶"),
    "thousand": ("千块", "千块", "千块"),
    "piece": ("件", "件", "件"),
}


@dataclass(frozen=True, kw_only=True)
class House:
    """One enterprise's habits."""

    name: str
    code: str
    """A code pattern: {n} is a running number, {g} the number of the trade group."""
    separator: str
    cross: str = "×"
    diameter: str = "Φ"
    unit_words: int = 0
    site_words: float = 0.1
    """How often a colloquial word or the second way of saying it is taken."""
    in_name: float = 0.3
    """How often the name carries a property of its own (三级抗震螺纹钢)."""
    all_in_name: float = 0.0
    """How often everything is in the name and the spec is empty."""
    marks: float = 0.4
    """How often a compact mark is used where the trade has one."""
    turned: bool = False
    """Sizes before grades."""
    full_width: float = 0.0
    thousands: float = 0.0
    unit_in_name: float = 0.0
    brand_in_name: float = 0.0
    standards: float = 0.0
    remarks: float = 0.03
    active: str = "启用"
    retired: str = "停用"
    category: str = "path"
    """Whether the category column holds the whole path, the leaf or a house number."""

    def unit(self, coded: str) -> str:
        """The unit as this house writes it; `piece:根` keeps its counting word."""
        code, _, word = coded.partition(":")
        return word or _UNIT_WORDS[code][self.unit_words]


HOUSES = (
    House(name="华屹建工", code="01.{g:02d}.{n:05d}", separator=" "),
    House(
        name="中峘建设",
        code="M{n:08d}",
        separator=" ",
        cross="x",
        diameter="φ",
        unit_words=1,
        in_name=0.6,
        all_in_name=0.35,
        brand_in_name=0.05,
        active="有效",
        retired="失效",
        category="leaf",
    ),
    House(
        name="滨澜城建",
        code="WZ-{g:02d}-{n:04d}",
        separator="/",
        cross="*",
        diameter="φ",
        unit_words=2,
        thousands=0.5,
        standards=0.06,
        active="正常",
        retired="冻结",
    ),
    House(
        name="鼎岱集团",
        code="10{g:02d}{n:06d}",
        separator="、",
        full_width=0.5,
        site_words=0.3,
        active="1",
        retired="0",
        category="number",
    ),
    House(
        name="西屿路桥",
        code="{g:02d}{n:05d}",
        separator="\\",
        cross="*",
        turned=True,
        unit_words=1,
        marks=0.2,
        active="Y",
        retired="N",
    ),
    House(
        name="安砺装配",
        code="AL.{g}.{n:04d}",
        separator="; ",
        standards=0.3,
        marks=0.3,
        remarks=0.02,
        active="已发布",
        retired="已作废",
    ),
    House(
        name="云崚市政",
        code="YL{n:06d}",
        separator=" ",
        cross="X",
        diameter="直径",
        site_words=0.6,
        in_name=0.5,
        brand_in_name=0.15,
        remarks=0.15,
        marks=0.2,
        active="在用",
        retired="停用",
        category="leaf",
    ),
    House(
        name="远桁劳务",
        code="YH-{n}",
        separator="",
        cross="*",
        diameter="Ø",
        unit_words=1,
        site_words=0.5,
        all_in_name=0.15,
        unit_in_name=0.2,
        remarks=0.06,
        turned=True,
        active="正常",
        retired="作废",
    ),
)
