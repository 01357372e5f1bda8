"""A contractor's ledger of suppliers after fifteen years: renamed, written twice, under numbers of two kinds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from random import Random

from shared.tax_numbers import check_digit

_PLACES = (
    ("32", "江苏省苏州市"), ("32", "江苏省无锡市"), ("33", "浙江省杭州市"), ("31", "上海市"), ("11", "北京市"),
    ("51", "四川省成都市"), ("44", "广东省广州市"), ("37", "山东省济南市"), ("42", "湖北省武汉市"),
    ("61", "陕西省西安市"),
)  # fmt: skip
_FIRST = tuple("恒鼎华信瑞盛宏泰永昌")
_SECOND = tuple("力达远通源隆丰邦诚安")
_THIRD = tuple("川岳峰林海天原泽浦陵")
_TRADES = ("钢铁", "建材", "混凝土", "水泥制品", "钢结构", "物资")
_BANKS = ("工商银行", "建设银行", "农业银行", "中国银行", "招商银行")
_GRADES, _LISTS = ("A", "B", "C", "D"), ("合格", "合格", "合格", "暂停", "潜在")
_PHONE = "0512-6666 8888"
"""One agent answers for many companies: it must not make them one."""


@dataclass(frozen=True, kw_only=True)
class Company:
    """A company as its own register knows it."""

    name: str
    uscc: str
    registration_no: str
    bank: str
    place: str


@dataclass(kw_only=True)
class Ledger:
    """The rows of the supplier list, and what was planted in them."""

    rows: list[tuple[str, ...]] = field(default_factory=list)
    fates: Counter[str] = field(default_factory=Counter)
    clear: list[Company] = field(default_factory=list)
    """Companies that stand in the list under their own number."""
    unknown: list[str] = field(default_factory=list)
    """Numbers of companies that do not stand in it."""


def a_uscc(province: str, serial: int) -> str:
    """A made-up number with the right check digit; 9 million and above are nobody's in a ledger."""
    body = f"91{province}0100MA{serial:07d}"
    return body + check_digit(body)


def _companies(count: int, random: Random) -> list[Company]:
    names = ["".join(parts) for parts in product(_FIRST, _SECOND, _THIRD)]
    random.shuffle(names)
    made = []
    for serial, short in enumerate(names[:count]):
        province, place = _PLACES[serial % len(_PLACES)]
        city = place.removesuffix("市").split("省")[-1]
        made.append(
            Company(
                name=f"{city}{short}{_TRADES[serial % len(_TRADES)]}有限公司",
                uscc=a_uscc(province, 1000 + serial),
                registration_no=f"{province}0100{serial:09d}",
                bank=f"{_BANKS[serial % len(_BANKS)]}{city}分行 6222 {serial:04d} {7000 + serial:04d} {serial * 7:04d}",
                place=place,
            )
        )
    return made


def ledger_of(count: int, random: Random) -> Ledger:
    """A list of that many rows; of each trap at least one."""
    shares = {
        "MERGED": 0.10, "branch": 0.05, "old number": 0.03, "CANDIDATE": 0.05, "Unidentified": 0.03, "rejected": 0.02,
        "twin": 0.0125,
    }  # fmt: skip
    traps = {fate: max(1, round(count * share)) for fate, share in shares.items()}
    companies = _companies(count + 60, random)
    listed = count - sum(traps.values())
    ledger = Ledger(clear=companies[:listed], unknown=[each.uscc for each in companies[listed : listed + 20]])
    spare = companies[listed + 20 :]
    for place, company in enumerate(ledger.clear):
        old_name = f"原名：{company.name.replace('有限公司', '经营部')}" if place % 9 == 0 else ""
        _add(ledger, "NEW", company, registration=company.registration_no, old_names=old_name)
    subjects = iter(random.sample(ledger.clear, sum(traps.values())))
    for fate, how_many in traps.items():
        for number in range(how_many):
            _trap(ledger, fate, next(subjects), spare[number % len(spare)], number)
    order = ledger.rows[listed:]
    random.shuffle(order)
    ledger.rows[listed:] = order
    return ledger


def _trap(ledger: Ledger, fate: str, company: Company, spare: Company, number: int) -> None:
    brackets = _with_brackets(company)
    if fate == "MERGED":
        _add(ledger, "MERGED", company, name=brackets, uscc=company.uscc.lower() if number % 2 else company.uscc)
    elif fate == "branch":
        branch = f"{company.name}第{number + 1}分公司"
        _add(ledger, "NEW", company, name=branch, uscc=a_uscc("44", 500_000 + number), bank="")
    elif fate == "old number":
        _add(ledger, "MERGED", company, name=brackets, uscc=company.registration_no, bank="")
    elif fate == "CANDIDATE":
        _add(ledger, "CANDIDATE", company, name=brackets, uscc="")
    elif fate == "Unidentified":
        _add(ledger, "Unidentified", spare, name=f"{spare.name}({number + 1}号)", uscc="", bank="")
    elif fate == "rejected":
        wrong = company.uscc[:-1] + ("0" if company.uscc[-1] != "0" else "1")
        _add(ledger, "rejected", company, uscc=wrong)
    else:
        _add(ledger, "NEW", company, name=brackets, uscc=a_uscc(company.uscc[2:4], 700_000 + number))
        ledger.fates["twin"] += 1


def _with_brackets(company: Company) -> str:
    """The same company as another clerk wrote it: the city behind, in brackets of either width."""
    city = company.place.removesuffix("市").split("省")[-1]
    rest = company.name.removeprefix(city).removesuffix("有限公司")
    return f"{city}{rest}有限责任公司" if len(rest) % 2 else f"{city}{rest}（集团）有限公司"


def _add(
    ledger: Ledger,
    fate: str,
    company: Company,
    *,
    name: str | None = None,
    uscc: str | None = None,
    registration: str = "",
    old_names: str = "",
    bank: str | None = None,
) -> None:
    cells: Sequence[str] = (
        name or company.name,
        company.uscc if uscc is None else uscc,
        registration,
        old_names,
        company.bank if bank is None else bank,
        _PHONE,
        "钢材、建材",
        _GRADES[len(ledger.rows) % 4],
        _LISTS[len(ledger.rows) % 5],
        company.place,
    )
    ledger.rows.append(tuple(cells))
    ledger.fates[fate] += 1
