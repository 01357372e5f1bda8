"""Evaluations and blacklist entries as a legacy platform writes them. Pure."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

from shared.importing.columns import TENANT, TENANT_NAMES, Cell, Column, Columns, RowError
from shared.tax_numbers import is_registration_number, normalised, uscc_fault

EVALUATION, BLACKLIST = "evaluations", "blacklist"
_USCC = Column(
    name="uscc", names="统一社会信用代码 社会信用代码 信用代码 税号 tax_id 供应商税号", length=64, required=True
)
_TENANT = Column(name=TENANT, names=TENANT_NAMES)
_REASON_NAMES = "原因 理由 评价说明 列入原因 事由 说明"
COLUMNS: Mapping[str, Columns] = {
    EVALUATION: Columns(
        _USCC,
        Column(name="date", names="评价日期 日期 考核日期", cell=Cell.DATE, required=True),
        Column(name="dimension", names="评价维度 维度 指标 考核项", length=60, required=True),
        Column(name="score", names="得分 分数 评分", cell=Cell.NUMBER, required=True),
        Column(name="reason", names=_REASON_NAMES, length=500),
        _TENANT,
    ),
    BLACKLIST: Columns(
        _USCC,
        Column(name="date", names="列入日期 日期 生效日期", cell=Cell.DATE, required=True),
        Column(name="level", names="处理措施 级别 限制级别", length=40),
        Column(name="reason", names=_REASON_NAMES, length=500),
        Column(name="evidence", names="依据 证据 文号 附件", length=500),
        Column(name="expiry", names="到期日期 有效期至 解除日期 截止日期", cell=Cell.DATE),
        _TENANT,
    ),
}
_LEVELS = {
    "no_invite": "不邀请 禁止投标 暂停投标 no_invite 限制邀请",
    "no_new_order": "禁止下单 暂停新业务 暂停合作 no_new_order 禁止采购",
    "stop_delivery": "停止供货 终止合作 stop_delivery 清退",
}
_LEVEL_OF = {word: level for level, words in _LEVELS.items() for word in words.split()}


class Outcome(StrEnum):
    """What becomes of a row. One that scores or blacklists refuse stays staged under the name of the refusal."""

    STAGED = "STAGED"
    TAKEN_OVER = "TAKEN_OVER"
    """It stands among the group's evaluations or on its blacklist, and is corrected there."""
    SUPPLIER_UNKNOWN = "SupplierUnknown"
    REPEATED = "Repeated"


def level_of(text: str) -> str | None:
    """The level behind a legacy platform's word; nothing said means no new orders."""
    return "no_new_order" if not text else _LEVEL_OF.get(text.lower())


def checked(kind: str, cells: Mapping[str, str]) -> list[RowError]:
    """What is wrong with a row by itself. An entry of a blacklist needs a reason and a last day (T7)."""
    number = normalised(cells["uscc"])
    errors = []
    if is_registration_number(number):
        told = "15 digits are an old registration number; the supplier is looked for by it."
        errors.append(RowError(column="uscc", code="OldRegistrationNumber", text=told, severity="warning"))
    elif (fault := uscc_fault(number)) is not None:
        told = f"{number} is no 统一社会信用代码 ({fault})."
        errors.append(RowError(column="uscc", code=f"Uscc{fault}", text=told))
    if kind == EVALUATION:
        if not 0 <= Decimal(cells["score"]) <= 100:
            errors.append(RowError(column="score", code="ScoreOutOfRange", text="A score lies between 0 and 100."))
        return errors
    if "reason" not in cells:
        errors.append(RowError(column="reason", code="NoReason", text="Nobody is listed without a reason."))
    if "expiry" not in cells:
        errors.append(RowError(column="expiry", code="NoExpiry", text="Nobody is listed for ever; name the last day."))
    elif date.fromisoformat(cells["expiry"]) < date.fromisoformat(cells["date"]):
        errors.append(RowError(column="expiry", code="PeriodReversed", text="The last day lies before the first."))
    if level_of(cells.get("level", "")) is None:
        told = f"{cells['level'][:40]!r} is no level that is known."
        errors.append(RowError(column="level", code="LevelUnknown", text=told))
    return errors
