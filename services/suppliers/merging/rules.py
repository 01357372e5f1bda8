"""When two records may be one company (domain.md 3.3). Pure.

Names are compared by a key without brackets, legal form and region; a branch (分公司) has its own number and keeps its
own key. Telephone numbers say nothing: agents answer for many companies.
"""

import hashlib
import re
import unicodedata
from enum import StrEnum

_FORMS = re.compile(r"(?:股份)?有限(?:责任)?公司|集团公司|总公司|公司|集团|厂$")
_PLACE_END = re.compile(r"^[\u4e00-\u9fff]{2,8}?(?:壮族自治区|回族自治区|维吾尔自治区|自治区|省|市)")
_BRACKETS = re.compile(r"[()（）\[\]【】〔〕「」\s·.,、-]")
_BRANCH = re.compile(r"分(?:公司|厂|店)")
_ACCOUNT = re.compile(r"[0-9](?:[0-9 -]{6,38})[0-9]")
PROVINCES = {
    "11": "北京", "12": "天津", "13": "河北", "14": "山西", "15": "内蒙古", "21": "辽宁", "22": "吉林", "23": "黑龙江",
    "31": "上海", "32": "江苏", "33": "浙江", "34": "安徽", "35": "福建", "36": "江西", "37": "山东", "41": "河南",
    "42": "湖北", "43": "湖南", "44": "广东", "45": "广西", "46": "海南", "50": "重庆", "51": "四川", "52": "贵州",
    "53": "云南", "54": "西藏", "61": "陕西", "62": "甘肃", "63": "青海", "64": "宁夏", "65": "新疆",
}  # fmt: skip
"""GB/T 2260, first two digits."""


class Basis(StrEnum):
    """Why two records may be one company."""

    SAME_USCC = "SAME_USCC"
    """Certain."""
    SAME_REGISTRATION = "SAME_REGISTRATION"
    """The same old registration number of 15 digits: certain as far as it was read rightly."""
    NAME_REGION_BANK = "NAME_REGION_BANK"
    """The same name key and account, in one region: for a person to judge."""


class MergeState(StrEnum):
    """A merge document."""

    PROPOSED = "PROPOSED"
    EFFECTIVE = "EFFECTIVE"
    REJECTED = "REJECTED"
    """Two companies: the pair is not proposed again."""
    UNDONE = "UNDONE"


MOVES = frozenset(
    {
        (MergeState.PROPOSED, MergeState.EFFECTIVE),
        (MergeState.PROPOSED, MergeState.REJECTED),
        (MergeState.EFFECTIVE, MergeState.UNDONE),
    }
)
STANDING = (MergeState.PROPOSED, MergeState.EFFECTIVE)


def may_move(before: MergeState, after: MergeState) -> bool:
    """Whether a merge may go from one state to another."""
    return (before, after) in MOVES


def is_branch(name: str) -> bool:
    """Whether a name is that of a 分公司."""
    return _BRANCH.search(name) is not None


def name_key(name: str) -> str:
    """What is left of a name when brackets, width, legal form and region are taken away."""
    plain = _BRACKETS.sub("", unicodedata.normalize("NFKC", name)).lower()
    if is_branch(plain):
        return plain
    short = plain
    for province in PROVINCES.values():
        if short.startswith(province):
            short = short.removeprefix(province).lstrip("省市区")
            break
    short = _PLACE_END.sub("", short)
    for province in PROVINCES.values():
        short = short.replace(province, "")
    key = _FORMS.sub("", short)
    return key if len(key) >= 2 else plain


def region_of(text: str) -> str | None:
    """The province a text names, or begins with as digits, as two digits; None when it names none."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if plain[:2].isdigit() and plain[:2] in PROVINCES:
        return plain[:2]
    return next((code for code, name in PROVINCES.items() if name in plain), None)


def bank_key(bank: str) -> str | None:
    """A fingerprint of the account in a text such as `工商银行苏州分行 1102 0202 0900 0123 456`; None without one.

    The number itself is the group's that wrote it down and is not kept beside the company's identity.
    """
    found = _ACCOUNT.search(unicodedata.normalize("NFKC", bank))
    if found is None:
        return None
    digits = "".join(character for character in found.group() if character.isdigit())
    return hashlib.sha256(f"account:{digits}".encode()).hexdigest() if len(digits) >= 8 else None


def region_agrees(first: str | None, second: str | None) -> bool:
    """Whether two records may stand in one region; one that says none does not contradict."""
    return first is None or second is None or first == second
