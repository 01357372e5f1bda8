"""Which columns a list of material codes has, and what a cell of them says. Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

COLUMNS = (
    "legacy_code",
    "name",
    "spec",
    "unit",
    "category",
    "brand",
    "status",
    "price",
    "supplier_item",
    "standard",
)
_NAMES: Mapping[str, str] = {
    "legacy_code": "legacy_code code material_code item_code 物料编码 物料代码 物料编号 物料号 物料码 物资编码 "
    "物资代码 物资编号 材料编码 材料编号 材料代码 存货编码 商品编码 编码 旧编码 企业编码",
    "name": "name material_name description 物料名称 物资名称 材料名称 存货名称 商品名称 名称 品名 物料描述 描述",
    "spec": "spec specification 规格型号 规格 型号规格 型号 规格及型号 规格/型号 规格描述 技术参数",
    "unit": "unit uom 计量单位 单位 基本单位 主计量单位 基本计量单位",
    "category": "category class 类别 物料类别 物资类别 材料类别 物料分类 存货分类 分类 类别名称 分类名称 大类 物料组",
    "brand": "brand 品牌 厂家 生产厂家 制造商 品牌/厂家 厂商",
    "status": "status 状态 物料状态 启用状态 是否启用 使用状态",
    "price": "price unit_price 单价 参考价 参考单价 价格 含税单价 指导价",
    "supplier_item": "supplier_item supplier_item_no 供应商料号 供应商编码 供应商物料编码 厂家货号 货号",
    "standard": "standard standards 执行标准 标准 标准号 技术标准",
    "ifc": "ifc ifc_class ifc_type ifc类 ifc类别 ifc类型 ifc实体 ifc分类",
}
"""What enterprises call the columns."""
REQUIRED = ("legacy_code", "name")
HEADER_WITHIN_ROWS = 20
"""Titles, dates and the maker's name may stand above the header."""

LENGTHS = {
    "legacy_code": 60,
    "name": 200,
    "spec": 400,
    "unit": 30,
    "category": 200,
    "brand": 100,
    "status": 40,
    "price": 40,
    "supplier_item": 100,
    "standard": 200,
    "ifc": 100,
}
"""Most characters of each column."""

_BY_NAME = {name: column for column, names in _NAMES.items() for name in names.split()}
_NOTE = re.compile(r"[(\[【].*?[)\]】]|[*:\s]")
_FORMULA = re.compile(r"=\s*[A-Za-z@(+\-]")
_DATE = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}(?: [0-9:]+)?")
_ERRORS = frozenset({"#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!"})
_UNSHOWN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_BLOCKED = "停用 禁用 冻结 失效 作废 删除 已删除 否 inactive blocked disabled 0 n"
_PRICE_LIMIT = Decimal(10) ** 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """Where the columns stand, and which names were not known."""

    places: Mapping[str, int]
    unknown: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class RowError:
    """Why a row is not taken, or (severity `warning`) what of it was not."""

    column: str
    code: str
    text: str
    severity: str = "rejected"


def header_of(cells: Sequence[str]) -> Header | None:
    """The header in a row of cells; None when it is none. A name that stands twice counts where it stands first."""
    places: dict[str, int] = {}
    unknown = []
    for place, cell in enumerate(cells):
        name = _NOTE.sub("", unicodedata.normalize("NFKC", cell)).lower()
        column = _BY_NAME.get(name) or _BY_NAME.get(name.replace(" ", "_").replace("-", "_"))
        if column is not None and column not in places:
            places[column] = place
        elif name:
            unknown.append(cell.strip()[:60])
    if not all(column in places for column in REQUIRED):
        return None
    return Header(places=places, unknown=unknown)


def plain(cell: str) -> str:
    """A cell with full-width forms folded and blanks collapsed."""
    return " ".join((cell if cell.isascii() else unicodedata.normalize("NFKC", cell)).split())


def read_row(cells: Sequence[str], header: Header) -> tuple[dict[str, str], list[RowError]]:
    """The values of a row by column, and all that is wrong with it. A row with a rejected cell is not taken."""
    values: dict[str, str] = {}
    errors: list[RowError] = []
    for column, place in header.places.items():
        raw = cells[place] if place < len(cells) else ""
        error = _against(column, raw)
        if error is not None:
            errors.append(error)
            continue
        value = plain(raw)
        if column == "price":
            value, error = _price(value)
            errors += [error] if error else []
        elif column in {"spec", "name"} and _DATE.fullmatch(value):
            told = f"{value} looks like a date a spreadsheet made out of a size such as 5-10; write it as text."
            errors.append(RowError(column=column, code="DateForText", text=told, severity="warning"))
        if value:
            values[column] = value
    for column in REQUIRED:
        if column not in values and not any(error.column == column for error in errors):
            errors.append(RowError(column=column, code="Missing", text=f"{column} is empty."))
    return values, errors


def _against(column: str, raw: str) -> RowError | None:
    text = raw.strip()
    if _FORMULA.match(text):
        return RowError(column=column, code="Formula", text="The cell holds a formula; formulas are never worked out.")
    if text.upper() in _ERRORS:
        return RowError(column=column, code="SpreadsheetError", text=f"The cell shows {text}.")
    if len(text) > LENGTHS[column]:
        told = f"At most {LENGTHS[column]} characters; this has {len(text)}."
        return RowError(column=column, code="TooLong", text=told)
    if "\ufffd" in text or (not text.isprintable() and _UNSHOWN.search(text)):
        return RowError(column=column, code="ControlCharacter", text="The cell holds a character that cannot be shown.")
    return None


def _price(value: str) -> tuple[str, RowError | None]:
    """A price without its thousands separators and currency signs; one that is none is left out with a warning."""
    text = value.strip("¥￥$元 ").removeprefix("CNY").strip()
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    if not text:
        return "", None
    try:
        number = Decimal(text)
        good = number.is_finite() and 0 <= number < _PRICE_LIMIT
    except InvalidOperation:
        good = False
    if good:
        return text, None
    told = f"{value[:40]!r} is no price; the row is taken without one."
    return "", RowError(column="price", code="NotANumber", text=told, severity="warning")


def is_blocked(status: str) -> bool:
    """Whether the enterprise itself no longer uses the code."""
    return status.strip().lower() in _BLOCKED.split()
