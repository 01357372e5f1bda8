"""Lines of legacy framework agreements: which are staged, which refused, and why (domain.md 3.3, 5.5). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from shared.importing.columns import TENANT, TENANT_NAMES, Cell, Column, Columns, RowError
from shared.tax_numbers import is_registration_number, normalised, uscc_fault

KIND = "agreements"
COLUMNS = Columns(
    Column(name="agreement_no", names="协议编号 合同编号 框架协议编号 协议号", length=80, required=True),
    Column(
        name="supplier_uscc",
        names="供应商统一社会信用代码 供应商信用代码 供应商税号 统一社会信用代码",
        length=64,
        required=True,
    ),
    Column(name="legacy_code", names="物料编码 物资编码 材料编码 编码", length=60, required=True),
    Column(name="price_kind", names="价格类型 计价方式 定价方式", length=40),
    Column(name="price", names="单价 协议价 协议单价 价格", cell=Cell.NUMBER, confidential=True),
    Column(name="unit", names="计量单位 单位", length=30),
    Column(name="tax_rate", names="税率", cell=Cell.RATE),
    Column(name="tax_inclusive", names="是否含税 含税 含税标志", cell=Cell.FLAG),
    Column(name="index_name", names="指数 信息价来源 基准价来源 浮动基准", length=200),
    Column(name="index_premium", names="上浮 浮动值 加价 浮动幅度", cell=Cell.NUMBER, confidential=True),
    Column(name="valid_from", names="开始日期 生效日期 有效期起", cell=Cell.DATE, required=True),
    Column(name="valid_to", names="结束日期 截止日期 有效期止 到期日期", cell=Cell.DATE, required=True),
    Column(name="tolerance", names="允许偏差 数量偏差 偏差", cell=Cell.RATE),
    Column(name="region", names="地区 供货区域 区域", length=60),
    Column(name="last_used_on", names="最近使用日期 最近下单日期 最后使用", cell=Cell.DATE),
    Column(name=TENANT, names=TENANT_NAMES),
)
_FIXED = frozenset(["固定价", "固定单价", "一口价", "fixed"])
_FLOATING = frozenset(["浮动价", "信息价", "指数价", "公式价", "随行就市", "floating", "index"])


class Outcome(StrEnum):
    """What becomes of a line: staged, or the reason why not."""

    STAGED = "STAGED"
    TAX_FLAG_MISSING = "TaxFlagMissing"
    TAX_RATE_MISSING = "TaxRateMissing"
    PRICE_MISSING = "PriceMissing"
    INDEX_MISSING = "IndexMissing"
    PRICE_KIND_UNKNOWN = "PriceKindUnknown"
    SUPPLIER_UNKNOWN = "SupplierUnknown"
    CODE_NOT_MAPPED = "CodeNotMapped"
    CODE_MEANS_SEVERAL = "CodeMeansSeveral"
    TWO_PRICES_SAME_DAY = "TwoPricesSameDay"
    ALREADY_STAGED = "AlreadyStaged"


TOLD: Mapping[Outcome, tuple[str, str]] = {
    Outcome.TAX_FLAG_MISSING: ("tax_inclusive", "It is not said whether the price is with tax; nobody may guess that."),
    Outcome.TAX_RATE_MISSING: ("tax_rate", "It is not said which tax rate the price is with or without."),
    Outcome.PRICE_MISSING: ("price", "There is no price above zero."),
    Outcome.INDEX_MISSING: ("index_name", "A floating price needs the index it floats with."),
    Outcome.PRICE_KIND_UNKNOWN: ("price_kind", "The kind of price is none that is known."),
    Outcome.SUPPLIER_UNKNOWN: (
        "supplier_uscc",
        "No supplier on record has this number; import the supplier list first.",
    ),
    Outcome.CODE_NOT_MAPPED: ("legacy_code", "The code has no published mapping; map the material codes first."),
    Outcome.CODE_MEANS_SEVERAL: ("legacy_code", "The code means several variants; an agreement line prices one."),
    Outcome.TWO_PRICES_SAME_DAY: (
        "valid_from",
        "Another row agrees on the same variant with the same supplier on the same days.",
    ),
    Outcome.ALREADY_STAGED: ("valid_from", "An earlier import staged a price for the same supplier, variant and days."),
}
EXPIRED_BUT_USED = "ExpiredButUsed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line whose supplier and variant are known."""

    row_no: int
    supplier_id: str
    variant_id: str
    region: str
    valid_from: date
    valid_to: date

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.supplier_id, self.variant_id, self.region)


def price_kind(cells: Mapping[str, str]) -> str | None:
    """`fixed` or `floating`; a price without a word about its kind is fixed. None for a word that is not known."""
    text = cells.get("price_kind", "").lower()
    if not text:
        return "floating" if "index_name" in cells and "price" not in cells else "fixed"
    return "fixed" if text in _FIXED else "floating" if text in _FLOATING else None


def checked(cells: Mapping[str, str]) -> list[RowError]:
    """What makes a row unreadable."""
    errors = []
    number = normalised(cells["supplier_uscc"])
    if not is_registration_number(number) and (fault := uscc_fault(number)) is not None:
        told = f"{number} is no 统一社会信用代码 ({fault})."
        errors.append(RowError(column="supplier_uscc", code=f"Uscc{fault}", text=told))
    if date.fromisoformat(cells["valid_to"]) < date.fromisoformat(cells["valid_from"]):
        errors.append(RowError(column="valid_to", code="PeriodReversed", text="The last day lies before the first."))
    return errors


def refused(cells: Mapping[str, str]) -> Outcome | None:
    """Why a line's terms cannot be staged, whoever and whatever it is about."""
    kind = price_kind(cells)
    if kind is None:
        return Outcome.PRICE_KIND_UNKNOWN
    if kind == "floating" and "index_name" not in cells:
        return Outcome.INDEX_MISSING
    if kind == "fixed" and ("price" not in cells or Decimal(cells["price"]) <= 0):
        return Outcome.PRICE_MISSING
    if "tax_inclusive" not in cells:
        return Outcome.TAX_FLAG_MISSING
    return Outcome.TAX_RATE_MISSING if "tax_rate" not in cells else None


def expired_but_used(cells: Mapping[str, str]) -> bool:
    """Whether the agreement went on being used after its last day."""
    used = cells.get("last_used_on")
    return used is not None and used > cells["valid_to"]


def on_the_same_days(lines: Sequence[Line]) -> set[int]:
    """The rows of which another one agrees with the same supplier on the same variant, region and day."""
    by_key: dict[tuple[str, str, str], list[Line]] = {}
    for line in lines:
        by_key.setdefault(line.key, []).append(line)
    twice: set[int] = set()
    for rivals in by_key.values():
        ordered = sorted(rivals, key=lambda line: (line.valid_from, line.row_no))
        longest = ordered[0]
        for line in ordered[1:]:
            if line.valid_from <= longest.valid_to:
                twice |= {longest.row_no, line.row_no}
            if line.valid_to > longest.valid_to:
                longest = line
    return twice
