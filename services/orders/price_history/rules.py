"""What was paid on a legacy platform. Pure."""

from collections.abc import Mapping
from decimal import Decimal

from shared.importing.columns import TENANT, TENANT_NAMES, Cell, Column, Columns, RowError
from shared.money import round_money

KIND = "prices"
COLUMNS = Columns(
    Column(name="date", names="日期 采购日期 下单日期 入库日期", cell=Cell.DATE, required=True),
    Column(name="code", names="物料编码 物资编码 材料编码 编码 legacy_code", length=60, required=True),
    Column(name="price", names="单价 采购单价 成交价 价格", cell=Cell.NUMBER, required=True, confidential=True),
    Column(name="unit", names="计量单位 单位", length=30),
    Column(name="qty", names="数量 采购数量 quantity", cell=Cell.NUMBER, required=True, confidential=True),
    Column(name="category", names="类别 物料类别 分类", length=60),
    Column(name=TENANT, names=TENANT_NAMES),
)
_CATEGORIES: Mapping[str, str] = {
    "rebar": "钢筋 钢筋与连接 钢材/钢筋 螺纹钢 线材",
    "structural_steel": "型钢 钢结构 钢结构与型材 钢板 钢管",
    "concrete_cement": "混凝土 商品混凝土 水泥 砂石 骨料 砂浆",
    "formwork_scaffold": "模板 脚手架 模板与脚手架 周转材料",
    "masonry_partition": "砌体 砖 砌块 隔墙 砌体与隔墙",
    "precast": "预制构件 预制混凝土构件 PC构件",
    "door_window": "门窗 玻璃 门窗与玻璃",
    "waterproof_insulation": "防水 保温 防水与保温 防水材料 保温材料",
    "mep": "机电 电气 给排水 管材 电缆 机电管线设备",
    "integrated_kitchen_bath": "集成厨卫 整体卫浴",
    "finishes_misc": "装饰 装修 五金 劳保 饰面 瓷砖 涂料",
}
_CATEGORY_OF = {word.lower(): key for key, words in _CATEGORIES.items() for word in (key, *words.split())}


def category_of(text: str) -> str | None:
    """The category behind a legacy platform's word for it; None where it is not known."""
    return _CATEGORY_OF.get(text.lower())


def amount_of(cells: Mapping[str, str]) -> Decimal:
    """What a row says was paid, to the cent."""
    return round_money(Decimal(cells["price"]) * Decimal(cells["qty"]))


def checked(cells: Mapping[str, str]) -> list[RowError]:
    """What is wrong with a row by itself."""
    told = "A price or quantity of something bought is above zero."
    return [
        RowError(column=name, code="NotAboveZero", text=told) for name in ("price", "qty") if Decimal(cells[name]) <= 0
    ]
