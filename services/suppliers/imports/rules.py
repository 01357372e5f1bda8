"""What a sync's columns, sequence numbers and states mean (domain.md 2.8, 5.4)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class SyncMode(StrEnum):
    """A full snapshot may say that what it does not name is gone; a delta never does."""

    FULL = "full"
    DELTA = "delta"


class SyncState(StrEnum):
    """SKIPPED: a late or repeated sequence number, nothing was changed. FAILED: see the job's problem."""

    RECEIVED = "RECEIVED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


class Format(StrEnum):
    """What bodies a sync takes."""

    CSV = "csv"
    NDJSON = "ndjson"
    JSON = "json"
    XLSX = "xlsx"


MEDIA_TYPES = {
    "text/csv": Format.CSV,
    "application/csv": Format.CSV,
    "application/x-ndjson": Format.NDJSON,
    "application/ndjson": Format.NDJSON,
    "application/jsonl": Format.NDJSON,
    "application/x-jsonlines": Format.NDJSON,
    "application/json": Format.JSON,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": Format.XLSX,
}

CHARSETS = {"utf-8": "utf-8", "utf8": "utf-8", "gb18030": "gb18030", "gbk": "gb18030", "gb2312": "gb18030"}
"""Charsets a text may declare; GBK and GB 2312 are parts of GB18030."""


class Phase(StrEnum):
    """How far a running job is."""

    PREPARE = "prepare"
    ROWS = "rows"
    MISSING = "missing"
    DONE = "done"


class SequenceOutcome(StrEnum):
    """What a sequence number says against the last one taken."""

    UNNUMBERED = "unnumbered"
    FIRST = "first"
    NEXT = "next"
    GAP = "gap"
    REPEATED = "repeated"
    LATE = "late"


CHANGES_NOTHING = frozenset({SequenceOutcome.REPEATED, SequenceOutcome.LATE})


def sequence_outcome(*, sequence: int | None, last: int | None) -> SequenceOutcome:
    """How a sequence number follows on the last one taken of the same feed."""
    if sequence is None:
        return SequenceOutcome.UNNUMBERED
    if last is None:
        return SequenceOutcome.FIRST
    if sequence == last:
        return SequenceOutcome.REPEATED
    if sequence < last:
        return SequenceOutcome.LATE
    return SequenceOutcome.NEXT if sequence == last + 1 else SequenceOutcome.GAP


def snapshot_needed(*, outcome: SequenceOutcome, mode: SyncMode, before: bool) -> bool:
    """Whether the supplier must send a full snapshot: after a gap, until one came."""
    return mode is SyncMode.DELTA and (before or outcome is SequenceOutcome.GAP)


STOCK_COLUMNS = ("on_hand", "as_of")
OFFER_COLUMNS = (
    "price",
    "currency",
    "tax_rate",
    "tax_inclusive",
    "min_quantity",
    "step_quantity",
    "lead_time_days",
    "regions",
    "valid_from",
    "valid_until",
    "audience",
    "standard",
    "freight",
    "certificates",
    "epd",
)
DECLARED_COLUMNS = ("freight", "certificates", "epd")
"""Columns whose cells are read here and go to the database as JSON (`declared`)."""
COLUMNS = (
    "item_no",
    "stock_point",
    *STOCK_COLUMNS,
    *OFFER_COLUMNS,
    "unit",
    "offer_code",
    "brand",
    "variant",
    "type",
    "properties",
)
"""Every column a row may have. `unit` counts `on_hand` and, in a row with offer columns, prices it."""

_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Notation:
    """How the cells of a column are written. The database would also take 0x10, 1_000, now, epoch and years BC."""

    pattern: str
    """A regular expression that ends wherever the cell may go on."""
    rest: bool
    """Whether more may follow, which the database judges: the time behind a day."""
    code: str
    detail: str


_A_NUMBER = Notation(pattern=_NUMBER, rest=False, code="NotANumber", detail="a number")
_A_RATE = Notation(pattern=rf"{_NUMBER} *%?", rest=False, code="NotANumber", detail="a number, as 0.13 or 13%")
_A_DATE = Notation(pattern=_DAY, rest=True, code="NotADate", detail="a date, as 2026-11-20")
_A_TIME = Notation(pattern=_DAY, rest=True, code="NotATime", detail="a time, as 2026-11-20T08:00:00+08:00")

NOTATIONS = {
    "on_hand": _A_NUMBER,
    "as_of": _A_TIME,
    "price": _A_NUMBER,
    "tax_rate": _A_RATE,
    "min_quantity": _A_NUMBER,
    "step_quantity": _A_NUMBER,
    "lead_time_days": _A_NUMBER,
    "valid_from": _A_DATE,
    "valid_until": _A_DATE,
}

ALIASES = {
    "物料编码": "item_no",
    "物料号": "item_no",
    "商品编码": "item_no",
    "货号": "item_no",
    "仓库": "stock_point",
    "库存点": "stock_point",
    "库存": "on_hand",
    "库存数量": "on_hand",
    "现存量": "on_hand",
    "截止时间": "as_of",
    "库存时间": "as_of",
    "单价": "price",
    "价格": "price",
    "币种": "currency",
    "税率": "tax_rate",
    "含税": "tax_inclusive",
    "是否含税": "tax_inclusive",
    "单位": "unit",
    "计量单位": "unit",
    "起订量": "min_quantity",
    "最小起订量": "min_quantity",
    "步长": "step_quantity",
    "订货倍数": "step_quantity",
    "交货天数": "lead_time_days",
    "供货周期": "lead_time_days",
    "供货区域": "regions",
    "区域": "regions",
    "生效日期": "valid_from",
    "失效日期": "valid_until",
    "有效期至": "valid_until",
    "可见范围": "audience",
    "品牌": "brand",
    "规格键": "variant",
    "标准构件": "variant",
    "类型": "type",
    "构件类型": "type",
    "属性": "properties",
    "规格": "properties",
    "报价编号": "offer_code",
    "执行标准": "standard",
    "标准号": "standard",
    "运费": "freight",
    "证书": "certificates",
    "认证证书": "certificates",
    "环境产品声明": "epd",
}

UNIT_ALIASES = {
    "吨": "t",
    "千克": "kg",
    "公斤": "kg",
    "米": "m",
    "千米": "km",
    "平方米": "m2",
    "㎡": "m2",
    "m²": "m2",
    "立方米": "m3",
    "m³": "m3",
    "件": "piece",
    "根": "piece",
    "支": "piece",
    "块": "piece",
    "樘": "piece",
    "个": "piece",
    "套": "set",
    "袋": "bag",
    "卷": "roll",
    "桶": "drum",
    "箱": "box",
    "捆": "bundle",
    "盘": "coil",
    "片": "sheet",
    "张": "sheet",
    "托": "pallet",
    "千块": "thousand",
}
"""How Chinese ERPs write the catalog's units."""

_SPACES = re.compile(r"[\s\-]+")


class ColumnsRefused(ValueError):  # noqa: N818 - its text is the sentence the supplier reads
    """A header that cannot be read."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def column_of(name: str) -> str | None:
    """The column a header names, in English or Chinese; None when there is no such column."""
    plain = name.strip()
    if plain in ALIASES:
        return ALIASES[plain]
    plain = _SPACES.sub("_", plain.lower())
    return plain if plain in COLUMNS else None


def columns_of(header: Sequence[str]) -> list[str]:
    """The columns of a header row.

    Raises:
        ColumnsRefused: one is unknown or named twice, the item number is missing, or nothing beside it is there.
    """
    columns = []
    for place, name in enumerate(header, 1):
        column = column_of(name)
        if column is None:
            shown = name.strip()[:60] or "(empty)"
            raise ColumnsRefused(
                "UnknownColumn", f"Column {place} is named {shown!r}. Known columns: {', '.join(COLUMNS)}."
            )
        if column in columns:
            raise ColumnsRefused("ColumnTwice", f"Column {place} ({name.strip()[:60]!r}) names {column} again.")
        columns.append(column)
    if "item_no" not in columns:
        raise ColumnsRefused("ItemNumberMissing", "There is no column item_no (物料编码).")
    if len(columns) == 1:
        raise ColumnsRefused("NothingToSet", "There is no column beside item_no.")
    return columns


def priced(columns: Iterable[str]) -> list[str]:
    """The columns that change prices and terms, which an API client needs the scope prices:write for."""
    return [column for column in columns if column in OFFER_COLUMNS]


@dataclass(frozen=True, kw_only=True, slots=True)
class VariantText:
    """How a row names its variant: a key, or a type with properties as `k=v; …`."""

    variant: str | None
    type: str | None
    properties: str | None

    @property
    def text(self) -> str:
        """One text per way of naming it; the database makes the same (`pipeline`)."""
        return self.variant or f"{self.type}\x1f{self.properties or ''}"


def properties_of(text: str) -> dict[str, str]:
    """Properties written as `diameter=20; grade=HRB400E`.

    Raises:
        ValueError: a part has no `=`, or a property stands twice.
    """
    found: dict[str, str] = {}
    for part in text.replace("；", ";").split(";"):
        if not part.strip():
            continue
        name, equals, value = part.partition("=")
        if not equals or not name.strip() or not value.strip():
            message = f"{part.strip()[:60]!r} is not of the form property=value."
            raise ValueError(message)
        if name.strip() in found:
            message = f"{name.strip()!r} stands twice."
            raise ValueError(message)
        found[name.strip()] = value.strip()
    return found
