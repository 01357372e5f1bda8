"""Whom a row of a supplier list means: by number first, else a candidate for a person (domain.md 3.3). Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from services.suppliers.merging.rules import bank_key, is_branch, name_key, region_agrees, region_of
from shared.importing.columns import TENANT, TENANT_NAMES, Column, Columns, RowError
from shared.tax_numbers import is_registration_number, normalised, province_of, uscc_fault

KIND = "suppliers"
COLUMNS = Columns(
    Column(
        name="name",
        names="供应商名称 单位名称 企业名称 公司名称 名称 供应商 供货单位 supplier supplier_name company",
        required=True,
    ),
    Column(
        name="uscc",
        names="统一社会信用代码 社会信用代码 信用代码 税号 纳税人识别号 tax_id usci",
        length=64,
    ),
    Column(name="registration_no", names="工商注册号 注册号 营业执照号 旧注册号", length=64),
    Column(name="old_names", names="曾用名 原名称 历史名称 旧名称 former_names", length=800),
    Column(name="bank", names="开户行及账号 银行账号 账号 开户银行及账号 开户行账号 bank_account", length=300),
    Column(name="contacts", names="联系人 联系方式 联系电话 电话 联系人及电话 contact phone", length=300),
    Column(name="category", names="供应类别 主营类别 类别 供应品类 品类 经营范围", length=400),
    Column(name="grade", names="等级 供应商等级 评级 级别 分级", length=40),
    Column(name="list_status", names="名录状态 状态 名录 合格状态 list 供应商状态", length=40),
    Column(name="region", names="地区 所在地 省份 注册地", length=60),
    Column(name="relation_id", names="关系编号 关系id", length=64),
    Column(name=TENANT, names=TENANT_NAMES, length=200),
)
_OLD_NAMES = re.compile(r"[;；、，,/|\n]")
_OLD_MARK = re.compile(r"^(?:原名|曾用名|原|现名)[:：]?\s*")


class Outcome(StrEnum):
    """What becomes of a row."""

    LINKED = "LINKED"
    """A supplier that is known by the number of the row."""
    NEW = "NEW"
    """A supplier record will be made: REGISTERED, qualified for nothing."""
    MERGED = "MERGED"
    """The same company as an earlier row of the file; its names are kept."""
    CANDIDATE = "CANDIDATE"
    """Perhaps one of the choices; a person decides."""
    UNIDENTIFIED = "Unidentified"
    """No number, and nobody on record under that name with that account."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A row as matching sees it. Telephone numbers are not part of it: agents answer for many companies."""

    row_no: int
    name: str
    uscc: str | None
    registration_no: str | None
    key: str
    region: str | None
    bank: str | None
    old_names: Sequence[str] = ()
    marks: Mapping[str, str] = field(default_factory=dict)
    """grade and list_status: the contractor's own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OnRecord:
    """Somebody a row may mean: a supplier on record, or an earlier row with a number of its own (`row-12`)."""

    choice: str
    name: str
    key: str
    region: str | None
    bank: str | None


def checked(cells: Mapping[str, str]) -> list[RowError]:
    """What is wrong with a row by itself."""
    errors = []
    number = normalised(cells.get("uscc", ""))
    if number and not is_registration_number(number) and (fault := uscc_fault(number)) is not None:
        told = {
            "Length": f"A 统一社会信用代码 has 18 characters; this has {len(number)}.",
            "Alphabet": "A 统一社会信用代码 has digits and capitals without I, O, S, V and Z.",
            "RegionCode": "Positions 3 to 8 of a 统一社会信用代码 are six digits.",
            "CheckDigit": "The check digit does not agree with the rest; look for a typing error.",
        }
        errors.append(RowError(column="uscc", code=f"Uscc{fault}", text=told[fault]))
    if is_registration_number(number):
        told_old = "15 digits are an old registration number; the row is matched by it. Add the 统一社会信用代码."
        errors.append(RowError(column="uscc", code="OldRegistrationNumber", text=told_old, severity="warning"))
    old = normalised(cells.get("registration_no", ""))
    if old and not is_registration_number(old):
        told_other = "An old registration number has 15 digits; it is left out."
        errors.append(
            RowError(column="registration_no", code="NotARegistrationNumber", text=told_other, severity="warning")
        )
    return errors


def reading_of(row_no: int, cells: Mapping[str, str]) -> Reading:
    """A row that `checked` let pass."""
    number = normalised(cells.get("uscc", ""))
    uscc = number if number and uscc_fault(number) is None else None
    old = number if is_registration_number(number) else normalised(cells.get("registration_no", ""))
    name = cells["name"]
    region = region_of(cells.get("region", "")) or (province_of(uscc) if uscc else None) or region_of(name)
    names = (_OLD_MARK.sub("", part.strip()) for part in _OLD_NAMES.split(cells.get("old_names", "")))
    return Reading(
        row_no=row_no,
        name=name,
        uscc=uscc,
        registration_no=old if is_registration_number(old) else None,
        key=name_key(name),
        region=region,
        bank=bank_key(cells.get("bank", "")),
        old_names=[each for each in names if each],
        marks={mark: cells.get(mark, "") for mark in ("grade", "list_status")},
    )


def candidates(row: Reading, on_record: Sequence[OnRecord]) -> list[OnRecord]:
    """Who stands under the same name key with the same account in the same region, each once."""
    if row.bank is None:
        return []
    found: dict[str, OnRecord] = {}
    for each in on_record:
        if each.key == row.key and each.bank == row.bank and region_agrees(each.region, row.region):
            found.setdefault(each.choice, each)
    return list(found.values())


def differs(first: Reading, second: Reading) -> str | None:
    """In which of the contractor's own marks two rows about one company differ."""
    return next((mark for mark, value in first.marks.items() if value != second.marks.get(mark)), None)


__all__ = ["COLUMNS", "KIND", "OnRecord", "Outcome", "Reading", "candidates", "checked", "differs", "is_branch"]
