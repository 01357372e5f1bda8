"""Reads a contractor's material list (CSV or XLSX), Chinese or English headings, as sites really send them."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation

HEADINGS = {
    "code": ("code", "variant", "type", "编码", "物料编码", "构件编码"),
    "name": ("name", "名称", "材料名称", "品名"),
    "specification": ("specification", "spec", "properties", "规格", "规格型号", "型号规格"),
    "quantity": ("quantity", "qty", "数量"),
    "unit": ("unit", "uom", "单位", "计量单位"),
    "need_by": ("need_by", "need-by", "needed", "date", "需用日期", "到货日期", "需用时间"),
    "enterprise_code": ("enterprise_code", "own code", "企业编码", "物资编码"),
    "cost_code": ("cost_code", "cost code", "成本科目", "科目"),
    "note": ("note", "remark", "备注", "说明"),
}
UNITS = {
    "t": ("t", "吨", "mt"),
    "kg": ("kg", "千克", "公斤"),
    "m": ("m", "米", "延米"),
    "km": ("km", "千米", "公里"),
    "m2": ("m2", "m²", "㎡", "平方米", "平米", "平方"),
    "m3": ("m3", "m³", "㎥", "立方米", "方", "立方"),
    "piece": ("piece", "pcs", "pc", "件", "根", "支", "个", "块", "樘", "只", "片", "张", "台", "扇"),
    "set": ("set", "套", "组"),
    "bag": ("bag", "袋", "包"),
    "roll": ("roll", "卷"),
    "drum": ("drum", "桶"),
    "box": ("box", "箱"),
    "bundle": ("bundle", "捆"),
    "coil": ("coil", "盘"),
    "pallet": ("pallet", "托"),
    "thousand": ("thousand", "千块"),
}
_UNIT_OF = {word: unit for unit, words in UNITS.items() for word in words}
_HEADING_OF = {word: heading for heading, words in HEADINGS.items() for word in words}
_LINES_MAX = 10_000
_UNZIPPED_MAX_BYTES = 50 * 1024 * 1024


class ListUnreadable(Exception):  # noqa: N818 - its text is the sentence the user reads
    """The file is no material list; the text says why, line by line."""


@dataclass(frozen=True, kw_only=True)
class MaterialLine:
    """One wanted material, as written."""

    row: int
    """Line number in the file, the heading being 1."""
    code: str
    name: str
    properties: dict[str, str] = field(default_factory=dict)
    quantity: Decimal
    unit: str
    need_by: date
    cost_code: str | None
    note: str | None
    enterprise_code: str | None = None
    """The company's own material code; the order keeps it, if it means what is ordered."""

    @property
    def wanted(self) -> str:
        """What the line asks for, in its own words."""
        return " ".join(part for part in (self.code, self.name, *self.properties.values()) if part)


def read_material_list(content: bytes, *, name: str, today: date) -> list[MaterialLine]:
    """The lines of a list; `today` is what `+14` counts from.

    Raises:
        ListUnreadable: with every fault found, each with its line.
    """
    rows = _xlsx_rows(content) if name.lower().endswith(".xlsx") else _csv_rows(content)
    rows = [(number, row) for number, row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise ListUnreadable(f"{name} is empty.")
    columns = [_HEADING_OF.get(cell.strip().lower(), "") for cell in rows[0][1]]
    missing = [HEADINGS[heading][0] for heading in ("quantity", "unit", "need_by") if heading not in columns]
    if missing or not {"code", "name"} & set(columns):
        known = "; ".join(f"{heading} ({', '.join(words[1:])})" for heading, words in HEADINGS.items())
        lacks = ", ".join(missing) or "code or name"
        raise ListUnreadable(f"{name} lacks the column(s) {lacks}. Known headings: {known}.")
    if len(rows) - 1 > _LINES_MAX:
        raise ListUnreadable(f"{name} has {len(rows) - 1} lines; one list may have {_LINES_MAX}.")
    lines, faults = [], []
    for number, row in rows[1:]:
        cells = {column: row[i].strip() for i, column in enumerate(columns) if column and i < len(row)}
        try:
            lines.append(_line(number, cells, today=today))
        except ValueError as problem:
            faults.append(f"line {number}: {problem}")
    if faults:
        raise ListUnreadable(f"{name} has {len(faults)} faulty line(s): " + "; ".join(faults[:20]))
    if not lines:
        raise ListUnreadable(f"{name} has a heading and no lines.")
    return lines


def _line(number: int, cells: dict[str, str], *, today: date) -> MaterialLine:
    if not (cells.get("code") or cells.get("name")):
        message = "neither a code nor a name"
        raise ValueError(message)
    return MaterialLine(
        row=number,
        code=cells.get("code", ""),
        name=cells.get("name", ""),
        properties=_properties(cells.get("specification", "")),
        quantity=_quantity(cells.get("quantity", "")),
        unit=unit_code(cells.get("unit", "")),
        need_by=_need_by(cells.get("need_by", ""), today=today),
        cost_code=cells.get("cost_code") or None,
        note=cells.get("note") or None,
        enterprise_code=cells.get("enterprise_code") or None,
    )


def _properties(text: str) -> dict[str, str]:
    """`牌号=HRB400E; 公称直径:20` as written: property names or keys, values untouched."""
    found: dict[str, str] = {}
    for part in re.split(r"[;;\n]", text):
        if not part.strip():
            continue
        key, sign, value = re.fullmatch(r"(?s)([^=::]*)([=::]?)(.*)", part.strip()).groups()  # type: ignore[union-attr]
        key, value = key.strip(), value.strip()
        if not sign or not key or not value:
            message = f"the specification {part.strip()!r} is not `property=value`"
            raise ValueError(message)
        if key in found:
            message = f"the property {key!r} stands twice"
            raise ValueError(message)
        found[key] = value
    return found


def _quantity(text: str) -> Decimal:
    try:
        quantity = Decimal(text.replace(",", "").replace(",", ""))
    except InvalidOperation:
        message = f"the quantity {text!r} is not a number"
        raise ValueError(message) from None
    if not quantity.is_finite() or quantity <= 0:
        message = f"the quantity {text} is not above zero"
        raise ValueError(message)
    return quantity


def unit_code(text: str) -> str:
    """The unit's code for a word of the trade; an unknown word stays, the service will name it."""
    return _UNIT_OF.get(text.strip().lower(), text.strip())


def _need_by(text: str, *, today: date) -> date:
    if match := re.fullmatch(r"\+\s*(\d{1,3})\s*(d|天|日)?", text):
        return today + timedelta(days=int(match[1]))
    plain = re.sub(r"[年月/.]", "-", text.split("T", maxsplit=1)[0].split(" ", maxsplit=1)[0]).rstrip("日-")
    try:
        year, month, day = (int(part) for part in plain.split("-"))
        return date(year, month, day)
    except ValueError:
        message = f"the date {text!r} is neither 2026-12-05 nor +14"
        raise ValueError(message) from None


def _csv_rows(content: bytes) -> Iterable[tuple[int, Sequence[str]]]:
    text = None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    if text is None or "\0" in text:
        raise ListUnreadable("The file is neither UTF-8 nor GB18030 text.")
    heading = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return [(reader.line_num, row) for row in reader]
    except csv.Error as problem:
        raise ListUnreadable(f"Line {reader.line_num} is malformed CSV: {problem}.") from problem


def _xlsx_rows(content: bytes) -> Iterable[tuple[int, Sequence[str]]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > _UNZIPPED_MAX_BYTES:
            raise ListUnreadable(
                f"The workbook unpacks to {size // 2**20} MiB; {_UNZIPPED_MAX_BYTES // 2**20} are taken."
            )
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
        cells = sheet.to_python(skip_empty_area=False)
    except (CalamineError, zipfile.BadZipFile) as problem:
        raise ListUnreadable(f"The file is not a readable workbook: {problem}.") from problem
    return [(number, [_cell(cell) for cell in row]) for number, row in enumerate(cells, 1)]


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float):
        return format(Decimal(repr(value)).normalize(), "f")
    return str(value)
