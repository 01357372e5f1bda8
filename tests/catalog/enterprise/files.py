"""The rows as the files enterprises upload."""

import csv
import io
from collections.abc import Iterable
from typing import Literal

from tests.catalog.enterprise.model import EnterpriseRow

COLUMNS = ("legacy_code", "name", "spec", "unit", "category", "brand", "status")
CHINESE_COLUMNS = ("物料编码", "物料名称", "规格型号", "计量单位", "物料类别", "品牌", "状态")


def as_csv(
    rows: Iterable[EnterpriseRow],
    *,
    encoding: Literal["utf-8", "utf-8-sig", "gb18030"] = "utf-8",
    chinese_header: bool = False,
) -> bytes:
    """The minimum columns of a material code import, one line a row, CRLF as spreadsheets write it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(CHINESE_COLUMNS if chinese_header else COLUMNS)
    writer.writerows([getattr(row, column) for column in COLUMNS] for row in rows)
    return out.getvalue().encode(encoding)
