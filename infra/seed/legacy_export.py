"""An invented contractor's legacy platform, exported: the files of `dougong migrate-platform --example`, and what was
planted in them. The same seed gives the same files; the traps are those of domain.md 3.3."""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from infra.seed.legacy_materials import Code, codes_of
from infra.seed.legacy_suppliers import Ledger, a_uscc, ledger_of

SEED = 20261125
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many rows each file has."""

    codes: int = 5_000
    suppliers: int = 800
    agreements: int = 300
    prices: int = 20_000
    evaluations: int = 600
    listed: int = 40


@dataclass(kw_only=True)
class Planted:
    """What was planted, by file: how many rows, and how many of each fate."""

    rows: dict[str, int] = field(default_factory=dict)
    fates: dict[str, Counter[str]] = field(default_factory=dict)

    def note(self, name: str, rows: int, fates: Counter[str]) -> None:
        self.rows[name], self.fates[name] = rows, fates


@dataclass(frozen=True, kw_only=True)
class _Export:
    """What the files are written from."""

    folder: Path
    on: date
    random: Random
    planted: Planted
    codes: Sequence[Code]
    ledger: Ledger


def write_legacy_export(folder: Path, *, on: date, sizes: Sizes | None = None, seed: int = SEED) -> Planted:
    """Write the six files as they stood on a day; what was planted in them."""
    sizes = sizes or Sizes()
    random = Random(seed)  # noqa: S311 - no secret: the same files every time
    folder.mkdir(parents=True, exist_ok=True)
    export = _Export(
        folder=folder,
        on=on,
        random=random,
        planted=Planted(),
        codes=codes_of(sizes.codes, random),
        ledger=ledger_of(sizes.suppliers, random),
    )
    _materials(export)
    _suppliers(export)
    _agreements(export, sizes.agreements)
    _prices(export, sizes.prices)
    _evaluations(export, sizes.evaluations)
    _blacklist(export, sizes.listed)
    return export.planted


def _write(file: Path, header: Sequence[str], rows: Iterable[Sequence[Any]], *, encoding: str, title: str = "") -> None:
    with file.open("w", encoding=encoding, newline="") as out:
        writer = csv.writer(out, lineterminator="\r\n")
        if title:
            writer.writerow([title, *[""] * (len(header) - 1)])
        writer.writerow(header)
        writer.writerows(rows)


def _materials(export: _Export) -> None:
    """In GB18030 under a title, as old systems write."""
    header = ("物料编码", "物料名称", "规格型号", "计量单位", "物料类别", "状态")
    rows = [(code.code, code.name, code.spec, code.unit, code.category, code.status) for code in export.codes]
    _write(export.folder / "materials.csv", header, rows, encoding="gb18030", title="物料主数据导出")
    export.planted.note("materials", len(rows), Counter(code.fate for code in export.codes))


def _suppliers(export: _Export) -> None:
    header = (
        "供应商名称", "统一社会信用代码", "工商注册号", "曾用名", "开户行及账号", "联系电话", "供应类别", "供应商等级",
        "名录状态", "地区",
    )  # fmt: skip
    _write(export.folder / "suppliers.csv", header, export.ledger.rows, encoding="utf-8-sig")
    export.planted.note("suppliers", len(export.ledger.rows), export.ledger.fates)


def _agreements(export: _Export, count: int) -> None:
    """Each clear line has a variant of its own, so that none meets another but those that are planted to."""
    random = export.random
    header = (
        "协议编号", "供应商税号", "物料编码", "价格类型", "单价", "计量单位", "税率", "是否含税", "信息价来源",
        "浮动值", "开始日期", "结束日期", "允许偏差", "最近使用日期",
    )  # fmt: skip
    fates = _shares(
        count,
        {
            "TaxFlagMissing": 0.05, "TaxRateMissing": 0.02, "SupplierUnknown": 0.03, "CodeNotMapped": 0.04,
            "IndexMissing": 0.015, "PriceMissing": 0.015, "rejected": 0.01, "ExpiredButUsed": 0.04,
        },
    )  # fmt: skip
    pairs = max(1, count // 30)
    clear = [code for code in export.codes if code.fate == "clear" and code.first]
    unmapped = [code for code in export.codes if code.fate == "other"]
    chosen = iter(random.sample(clear, min(len(clear), count)))
    rows: list[tuple[Any, ...]] = []
    wanted = [*fates.elements()]
    wanted += ["TwoPricesSameDay"] * pairs + ["STAGED"] * (count - len(wanted) - 2 * pairs)
    told: Counter[str] = Counter()
    for number, fate in enumerate(wanted):
        code = random.choice(unmapped) if fate == "CodeNotMapped" else next(chosen)
        row = _agreement(export, number, fate, code)
        rows += [row, (*row[:4], "1", *row[5:])] if fate == "TwoPricesSameDay" else [row]
        told["STAGED" if fate == "ExpiredButUsed" else fate] += 2 if fate == "TwoPricesSameDay" else 1
        told["ExpiredButUsed"] += fate == "ExpiredButUsed"
    random.shuffle(rows)
    _write(export.folder / "agreements.csv", header, rows, encoding="utf-8")
    export.planted.note("agreements", len(rows), told)


def _agreement(export: _Export, number: int, fate: str, code: Code) -> tuple[Any, ...]:
    random, on, company = export.random, export.on, export.random.choice(export.ledger.clear)
    floating = fate == "IndexMissing" or (fate == "STAGED" and number % 7 == 0)
    first = on - timedelta(days=random.randrange(30, 300))
    last = on + timedelta(days=random.randrange(30, 400))
    used = ""
    if fate == "ExpiredButUsed":
        last, used = on - timedelta(days=40), (on - timedelta(days=random.randrange(1, 30))).strftime("%Y/%m/%d")
        first = last - timedelta(days=300)
    price = (
        "" if floating or fate == "PriceMissing" else f"{code.price * Decimal(random.randrange(90, 105)) / 100:,.2f}"
    )
    return (
        f"KJ-{on.year}-{number // 5 + 1:04d}",
        a_uscc("46", 9_000_000 + number) if fate == "SupplierUnknown" else company.uscc,
        code.code,
        "浮动价" if floating else "固定价",
        price,
        code.unit,
        "" if fate == "TaxRateMissing" else "13%",
        "" if fate == "TaxFlagMissing" else random.choice(("是", "含税", "不含税")),
        "Mysteel 上海" if floating and fate != "IndexMissing" else "",
        "30" if floating else "",
        "2026-02-30" if fate == "rejected" else first.strftime("%Y年%m月%d日").translate(_FULL_WIDTH),
        last.isoformat(),
        "3%",
        used,
    )


def _prices(export: _Export, count: int) -> None:
    """Nine in ten rows are about goods whose code can be mapped; some days lie years back."""
    random, on = export.random, export.on
    header = ("采购日期", "物料编码", "单价", "计量单位", "数量", "物料类别")
    clear = [code for code in export.codes if code.fate == "clear"]
    others = [code for code in export.codes if code.fate in {"other", "broader"}]
    rows, fates = [], Counter[str]()
    for _ in range(count):
        code = random.choice(clear) if random.random() < 0.9 or not others else random.choice(others)
        price = code.price * Decimal(random.randrange(85, 116)) / 100
        fate = "rejected" if random.random() < 0.003 else "MAPPED" if code.fate == "clear" else "UNMAPPED"
        day = on - timedelta(days=int(random.random() ** 2 * 720))
        quantity = "0" if fate == "rejected" else f"{random.randrange(1, 4000) / 10:.1f}"
        shown = f"{price:,.2f}" if random.random() < 0.5 else f"{price:.2f}".translate(_FULL_WIDTH)
        rows.append((day.strftime(random.choice(("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d"))), code.code, shown, code.unit,
                     quantity, code.category))  # fmt: skip
        fates[fate] += 1
    _write(export.folder / "prices.csv", header, rows, encoding="gb18030")
    export.planted.note("prices", len(rows), fates)


_DIMENSIONS = ("质量", "交期", "服务", "价格", "资料")


def _evaluations(export: _Export, count: int) -> None:
    random, on = export.random, export.on
    header = ("供应商税号", "评价日期", "评价维度", "得分", "评价说明")
    fates = _shares(count, {"SupplierUnknown": 0.03, "rejected": 0.015})
    wanted = [*fates.elements()]
    wanted += ["STAGED"] * (count - len(wanted))
    rows = []
    for number, fate in enumerate(wanted):
        uscc = (
            random.choice(export.ledger.unknown)
            if fate == "SupplierUnknown"
            else random.choice(export.ledger.clear).uscc
        )
        day = on - timedelta(days=random.randrange(1, 700))
        score = 130 if fate == "rejected" else random.randrange(55, 101)
        rows.append((uscc, day.isoformat(), _DIMENSIONS[number % 5], score, f"第{number + 1}号评价"))
    random.shuffle(rows)
    _write(export.folder / "evaluations.csv", header, rows, encoding="utf-8")
    export.planted.note("evaluations", len(rows), Counter(wanted))


def _blacklist(export: _Export, count: int) -> None:
    random, on = export.random, export.on
    header = ("供应商税号", "列入日期", "处理措施", "列入原因", "依据", "到期日期")
    fates = _shares(count, {"NoReason": 0.08, "NoExpiry": 0.08, "SupplierUnknown": 0.05})
    wanted = [*fates.elements()]
    wanted += ["STAGED"] * (count - len(wanted))
    rows = []
    for number, fate in enumerate(wanted):
        uscc = (
            random.choice(export.ledger.unknown)
            if fate == "SupplierUnknown"
            else random.choice(export.ledger.clear).uscc
        )
        day = on - timedelta(days=random.randrange(1, 300))
        rows.append(
            (
                uscc,
                day.isoformat(),
                random.choice(("不邀请", "禁止下单", "停止供货", "")),
                "" if fate == "NoReason" else f"第{number + 1}号事件:以次充好",
                f"通报〔{on.year}〕{number + 1}号",
                "" if fate == "NoExpiry" else (day + timedelta(days=730)).isoformat(),
            )
        )
    random.shuffle(rows)
    _write(export.folder / "blacklist.csv", header, rows, encoding="utf-8-sig")
    export.planted.note("blacklist", len(rows), Counter(wanted))


def _shares(count: int, shares: dict[str, float]) -> Counter[str]:
    """At least one of each fate."""
    return Counter({fate: max(1, round(count * share)) for fate, share in shares.items()})
