"""Text into tokens, the same way for what is indexed and for what is asked. Pure.

Chinese has no spaces and PostgreSQL's trigrams do not know it (domain.md 3.4), so runs of Chinese characters become
pairs of neighbours; latin words, numbers and specifications (Φ20, DN100, HRB400E, 2.5mm2, 48.3x3.6) stay whole.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

QUERY_AT_MOST = 200
"""Characters of a search."""
_TOKENS_AT_MOST = 48

_PHI = re.compile(r"[φø⌀∅фɸ]\s*(?=[0-9])")
_DIAMETER_WORD = re.compile(r"(?:公称)?直径\s*(?=[0-9])")
_TIMES = re.compile(r"(?<=[0-9])\s*[×✕✖*]\s*(?=[0-9])")
_UNIT_WORDS = (
    (re.compile(r"(?<=[0-9])\s*平方毫米"), "mm2 "),
    (re.compile(r"(?<=[0-9])\s*毫米"), "mm "),
    (re.compile(r"(?<=[0-9])\s*(?:厘米|公分)"), "cm "),
    (re.compile(r"(?<=[0-9])\s*米"), "m "),
    (re.compile(r"(?<=[0-9])\s*(?:平方|平)(?![米方])"), "mm2 "),
)
_VARIANTS = (
    ("沙", "砂"), ("磁砖", "瓷砖"), ("模版", "模板"), ("模扳", "模板"), ("迭合", "叠合"), ("混泥土", "混凝土"),
    ("罗纹", "螺纹"), ("螺文", "螺纹"), ("螺蚊", "螺纹"), ("园钢", "圆钢"), ("曹钢", "槽钢"), ("纲筋", "钢筋"),
    ("岩绵", "岩棉"), ("石羔", "石膏"), ("加汽", "加气"), ("冷扎", "冷轧"), ("热扎", "热轧"), ("法蓝", "法兰"),
    ("伐门", "阀门"), ("蝶伐", "蝶阀"), ("碟阀", "蝶阀"), ("乳胶柒", "乳胶漆"), ("喷琳", "喷淋"), ("脚手加", "脚手架"),
    ("水咀", "水嘴"), ("厨柜", "橱柜"),
)  # fmt: skip
"""Other characters for the same word, written by many."""
_SIMPLIFIED = str.maketrans(
    "鋼鐵漿紋圓盤網絞線預應樑樓閥電纜橋風門鋁膠磚牆絕緣縫鍍鋅鑄燈頭筒級環氣壓構結樁塊輕質衛廚龍護帶溝槽隔熱纖維塗層滅",
    "钢铁浆纹圆盘网绞线预应梁楼阀电缆桥风门铝胶砖墙绝缘缝镀锌铸灯头筒级环气压构结桩块轻质卫厨龙护带沟槽隔热纤维涂层灭",
)
_PLURAL = re.compile(r"(?<![a-z0-9])([a-z]{2,}[a-rt-z])s(?![a-z0-9])")
_SPACED_UNIT = re.compile(r"(?<=[0-9])\s+(mm2|mm|cm|m|mpa|kpa|kv|kw|w|kg|g)(?![a-z0-9])")
_SPACED_NOMINAL = re.compile(r"\b(dn|de|pn)\s+(?=[0-9])")
_TOKEN = re.compile(r"φ[0-9]+(?:\.[0-9]+)?|[a-z0-9]+(?:[./+\-][a-z0-9]+)*|[\u3400-\u9fff]+")
_SEPARATOR = re.compile(r"[./+\-]")
_PARTED = re.compile(r"[/+\-]")
_MEASURE = re.compile(r"(?:[dp]n|de|[a-zφ])?[0-9]")
_JOINED = re.compile(r"[/+\-]|(?<![0-9])\.|\.(?![0-9])")
_PLAIN_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_STANDARD = re.compile(r"\b([a-z]{2,4})\s*(?:/\s*t)?\s*([0-9]{2,6}(?:\.[0-9]{1,2})?)(?:\s*-\s*(?:19|20)[0-9]{2})\b")
_STANDARD_LETTERS = "gb|jg|jgj|jc|cj|cjj|cecs|yb|jb|hg|qb|dl"
_UNDATED = re.compile(rf"\b({_STANDARD_LETTERS})\s*(?:/\s*t)?\s*([0-9]{{2,6}}(?:\.[0-9]{{1,2}})?)\b")
_STOP = frozenset({"的", "和", "of", "for", "and", "the", "with", "or", "a", "an"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """A search in tokens: all of them should be found; whole phrases lift what is called exactly so."""

    tokens: tuple[str, ...]
    phrases: tuple[str, ...]
    text: str = ""
    """What is to be read for values too; empty when words in it mean nothing that is known."""


@lru_cache(maxsize=20_000)
def folded(text: str) -> str:
    """Lower case, full-width and other compatibility forms folded, signs and unit words in one spelling, traditional
    characters simplified, English plurals without their s; on both sides alike."""
    plain = unicodedata.normalize("NFKC", text).lower().translate(_SIMPLIFIED)
    plain = _PLURAL.sub(r"\1", plain)
    plain = _PHI.sub("φ", _DIAMETER_WORD.sub("φ", plain))
    plain = _TIMES.sub("x", plain)
    for written, meant in _VARIANTS:
        plain = plain.replace(written, meant)
    for pattern in (_STANDARD, _UNDATED):
        plain = pattern.sub(r"\1\2", plain)
    for pattern, unit in _UNIT_WORDS:
        plain = pattern.sub(unit, plain)
    return _SPACED_NOMINAL.sub(r"\1", _SPACED_UNIT.sub(r"\1", plain))


def chunks(text: str) -> list[str]:
    """The words, specifications and Chinese runs of a text, in order."""
    return [chunk for chunk in _TOKEN.findall(folded(text)) if chunk not in _STOP]


@lru_cache(maxsize=50_000)
def indexed(text: str) -> frozenset[str]:
    """Every token under which a text is found: pairs and single characters, words whole and in parts.

    Kept, because the same names and values come again in thousands of variants.
    """
    found: set[str] = set()
    for chunk in chunks(text):
        if is_chinese(chunk):
            found |= set(pairs(chunk)) | set(chunk)
        else:
            found |= {_word(chunk), *_parts(chunk)}
            found |= {_JOINED.sub("", chunk)} if chunk[0].isalpha() else set()
    return frozenset(found)


def _parts(chunk: str) -> Iterator[str]:
    """YJV-0.6/1kV has three, GB1499.2 has two; but 6.2m is not 2m, nor d21.6 a d21."""
    for part in _PARTED.split(chunk):
        yield from (_word(each) for each in ([part] if _MEASURE.match(part) else part.split(".")) if each)


def asked(text: str) -> Query:
    """The tokens and phrases of a search, in the order written, none twice."""
    tokens: dict[str, None] = {}
    phrases: dict[str, None] = {}
    for chunk in chunks(text):
        if is_chinese(chunk):
            tokens |= dict.fromkeys(pairs(chunk) or [chunk])
            phrases[chunk] = None
        elif any(character.isdigit() for character in chunk):
            tokens[_word(chunk)] = None
        else:
            parts = [_word(part) for part in _SEPARATOR.split(chunk)]
            tokens |= dict.fromkeys(parts)
            phrases |= dict.fromkeys([_word(chunk), *parts])
    return Query(tokens=tuple(tokens)[:_TOKENS_AT_MOST], phrases=tuple(phrases)[:_TOKENS_AT_MOST])


@lru_cache(maxsize=10_000)
def phrase(text: str) -> str:
    """A whole name as one phrase, as `asked` would tell it when it is one Chinese run or one word."""
    return " ".join(chunk if is_chinese(chunk) else _word(chunk) for chunk in chunks(text))


@lru_cache(maxsize=50_000)
def is_specification(token: str) -> bool:
    """Whether a token carries a value rather than a name."""
    return any(character.isdigit() for character in token)


_COUNTERS = "立方米|立方|方|吨|个|只|根|支|块|张|片|套|袋|包|卷|桶|箱|捆|盘|条|件|樘|扇|副|双|顶|m3|t|pcs"
_COUNTED = re.compile(rf"(?<![0-9a-z.])([0-9]+(?:\.[0-9]+)?)\s*(?:{_COUNTERS})")


def is_counted(token: str, text: str) -> bool:
    """Whether a number of a text says how many are wanted: 200方, 5吨."""
    return any(match[1] == token for match in _COUNTED.finditer(folded(text)))


def is_chinese(chunk: str) -> bool:
    """Whether a chunk is a run of Chinese characters."""
    return "\u3400" <= chunk[0] <= "\u9fff"


def pairs(run: str) -> list[str]:
    """Neighbouring characters of a run."""
    return [run[place : place + 2] for place in range(len(run) - 1)]


def _word(word: str) -> str:
    """Numbers in their shortest text."""
    if _PLAIN_NUMBER.fullmatch(word):
        number = format(Decimal(word).normalize(), "f")
        return number or "0"
    return word
