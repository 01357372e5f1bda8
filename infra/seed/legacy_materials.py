"""Material codes as a contractor's clerks wrote them over the years: several codes for one thing among them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from random import Random

_GRADES = ("HRB400", "HRB400E", "HRB500", "HRB500E", "HRB600", "HRBF400", "HRBF400E", "HRBF500", "HRBF500E")
_DIAMETERS = (6, 8, 10, 12, 14, 16, 18, 20, 22, 25, 28, 32, 36, 40, 50)
_STEEL = ("Q235B", "Q355B", "Q355C", "Q355D", "Q390", "Q420")
_H = {
    "HW": ("100×100×6×8", "200×200×8×12", "250×250×9×14", "300×300×10×15", "350×350×12×19", "400×400×13×21"),
    "HM": ("194×150×6×9", "244×175×7×11", "294×200×8×12", "390×300×10×16", "588×300×12×20"),
    "HN": ("250×125×6×9", "350×175×7×11", "400×200×8×13", "450×200×9×14", "500×200×10×16", "600×200×11×17"),
}
_PLATE_GRADES, _TUBE_GRADES = ("Q235B", "Q355B", "Q355D", "Q390GJC", "Q420GJC"), ("Q235B", "Q355B")
_THICKNESSES = (6, 8, 10, 12, 14, 16, 18, 20, 25, 30, 40, 50, 60, 80)
_WIDTHS, _LENGTHS = (1500, 1800, 2000, 2200, 2500), (6000, 8000, 9000, 10000, 12000)
_TUBES = ("50×50×3", "60×40×3", "80×80×4", "100×100×5", "120×80×5", "150×150×6", "200×200×8", "250×250×10")
_STRENGTHS = ("C15", "C20", "C25", "C30", "C35", "C40", "C45", "C50", "C55", "C60")
_OTHERS = (
    ("钢筋切断机", "GQ40", "台"), ("劳务费", "", "项"), ("安全帽检测服务", "", "次"), ("混凝土泵车租赁", "48m", "台班"),
    ("办公桌椅", "1.4m", "套"), ("钢筋加工费", "", "项"), ("柴油", "0号", "升"), ("临时围挡租赁", "", "项"),
    ("塔吊租赁", "QTZ80", "月"), ("复印纸", "A4 70g", "箱"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Code:
    """One row of the material master."""

    code: str
    name: str
    spec: str
    unit: str
    category: str
    fate: str
    """clear (names one variant), broader or split (waits for a person), other (no such goods), rejected, repeated."""
    price: Decimal
    first: bool = True
    """The first code of its variant; others are second codes for the same thing (一物多码)."""
    status: str = "启用"


@dataclass(frozen=True, kw_only=True)
class _Goods:
    """A variant, and the two ways in which it is written."""

    first: tuple[str, str, str]
    second: tuple[str, str, str]
    category: str
    price: Decimal


def _bars() -> Iterator[_Goods]:
    for grade, diameter, length in product(_GRADES, _DIAMETERS, (9, 12)):
        yield _Goods(
            first=("螺纹钢", f"{grade} Φ{diameter} {length}m", "吨"),
            second=("螺纹钢筋", f"Φ{diameter} {grade} 定尺{length}米", "t"),
            category="钢筋",
            price=Decimal(3300 + 4 * diameter),
        )


def _sections() -> Iterator[_Goods]:
    sizes = [(series, size) for series, every in _H.items() for size in every]
    for (series, size), grade, length in product(sizes, _STEEL, (6, 9, 12)):
        yield _Goods(
            first=("H型钢", f"{series}{size} {grade} L={length}m", "吨"),
            second=("热轧H型钢", f"{grade} {series}{size} {length}m", "t"),
            category="型钢",
            price=Decimal(3650 + 20 * length),
        )


def _plates() -> Iterator[_Goods]:
    for thickness, width, length, grade in product(_THICKNESSES, _WIDTHS, _LENGTHS, _PLATE_GRADES):
        yield _Goods(
            first=("中厚板", f"-{thickness}×{width}×{length} {grade}", "吨"),
            second=("钢板", f"{thickness}×{width}×{length} {grade}", "t"),
            category="钢板",
            price=Decimal(3900 + 3 * thickness),
        )


def _tubes() -> Iterator[_Goods]:
    for size, grade, length in product(_TUBES, _TUBE_GRADES, (6, 9, 12)):
        yield _Goods(
            first=("方矩管", f"□{size} {grade} L={length}m", "吨"),
            second=("冷弯方管", f"□{size} {grade} L={length}m", "t"),
            category="钢管",
            price=Decimal(4100 + length),
        )


def _mixes() -> Iterator[_Goods]:
    for strength, slump, water in product(_STRENGTHS, (120, 140, 160, 180, 200, 220), ("", "P6", "P8", "P10")):
        spec = f"{strength} {water} 坍落度{slump}±20".replace("  ", " ")
        yield _Goods(
            first=("商品混凝土", spec, "立方米"),
            second=("预拌混凝土", spec, "m³"),
            category="混凝土",
            price=Decimal(300 + 4 * int(strength[1:])),
        )


_FAMILIES: Sequence[Callable[[], Iterator[_Goods]]] = (_bars, _mixes, _sections, _tubes, _plates)


def codes_of(count: int, random: Random) -> list[Code]:
    """The rows of a material master: 86 in 100 say plainly what they are."""
    clear = round(count * 0.86)
    rows = _clear(clear, random)
    broader, split = max(1, round(count * 0.04)), max(1, round(count * 0.02))
    rejected, repeated = max(1, count // 500), max(1, count // 500)
    for number in range(broader):
        spec = f"{_DIAMETERS[number % 15]}"
        rows.append(_code(len(rows), ("螺纹钢", spec, "吨"), "钢筋", "broader", Decimal(3500)))
    for number in range(split):
        sizes = "/".join(str(each) for each in _DIAMETERS[number % 10 : number % 10 + 3])
        rows.append(_code(len(rows), ("螺纹钢", f"Φ{sizes}", "吨"), "钢筋", "split", Decimal(3500)))
    for _ in range(rejected):
        rows.append(_code(len(rows), ("", "HRB400 Φ20", "吨"), "钢筋", "rejected", Decimal(1)))
    while len(rows) < count - repeated:
        name, spec, unit = _OTHERS[len(rows) % len(_OTHERS)]
        goods = (name, f"{spec} {len(rows)}号合同".strip(), unit)
        rows.append(_code(len(rows), goods, "", "other", Decimal(200)))
    random.shuffle(rows)
    again = [code for code in rows if code.fate == "clear"][:repeated]
    return [*rows, *(Code(**{**vars(code), "fate": "repeated", "first": False}) for code in again)]


def _clear(count: int, random: Random) -> list[Code]:
    """First codes for about six in ten, then second codes for some of the same goods."""
    goods = [each for family in _FAMILIES for each in family()]
    random.shuffle(goods)
    firsts = goods[: round(count * 0.6)]
    seconds = firsts[: count - len(firsts)]
    rows = [_code(place, each.first, each.category, "clear", each.price) for place, each in enumerate(firsts)]
    return rows + [
        _code(len(rows) + place, each.second, each.category, "clear", each.price, first=False)
        for place, each in enumerate(seconds)
    ]


def _code(
    place: int, goods: tuple[str, str, str], category: str, fate: str, price: Decimal, *, first: bool = True
) -> Code:
    name, spec, unit = goods
    status = "停用" if place % 23 == 0 else "启用"
    return Code(
        code=f"WZ{place + 1:06d}",
        name=name,
        spec=spec,
        unit=unit,
        category=category,
        fate=fate,
        price=price,
        first=first,
        status=status,
    )
