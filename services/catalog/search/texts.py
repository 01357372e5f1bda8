"""Values that are texts of a shape: glass build-ups, colours, marks of pieces and drawings, rolled sections. Pure."""

import re
from collections.abc import Sequence

from services.catalog.components.rules import Kind, Property, TypeDefinition
from services.catalog.search.layouts import TEXT_LABELS
from services.catalog.search.striking import ReadLine, accepted

_BUILD = re.compile(
    r"(?<![0-9a-z.])([0-9]+(?:\.[0-9]+)?(?:mm)?[a-z\-]*(?:\+[0-9]+(?:\.[0-9]+)?(?:mm)?[a-z\-]*)+)(?![0-9a-z])"
)
_COLOUR = re.compile(
    r"(?:颜色|色号)?\s*[:：]?\s*(ral\s?[0-9]{4}|(?<![\u3400-\u9fff])(?:浅|深|米|象牙|乳|奶|天|湖|纯|亮|哑|暖|冷|咖|珍珠|瓷)?"
    r"(?:白|灰|黄|蓝|绿|红|黑|棕|咖啡|米|粉|紫|橙)色?(?![\u3400-\u9fff])|(?<=颜色)[\u3400-\u9fff]{1,5})"
)
_LABELLED_COLOUR = re.compile(r"(?:颜色|色号)\s*[:：]?\s*([\u3400-\u9fff]{1,5}|[a-z]{1,4}\s?[0-9]{2,5})")
_SECTION = re.compile(
    r"(?:(?<![a-z0-9])[i\[]|(?<=[#号])|(?<![0-9a-z.]))\s*([0-9]{1,2}(?:\.[0-9])?[abc]?)#?(?![0-9a-z.x])"
)
_SYSTEM = re.compile(r"(?:采用|使用|为)?([\u3400-\u9fff]{1,4}?体系)")
_REVISION = re.compile(r"(?<![a-z0-9])([a-z0-9])\s?版")
_SIZE_OF_PERSON = re.compile(r"(?:尺码|号码)\s*[:：]?\s*([0-9]{2}码?|x{0,3}[slm]码?|均码)")
_OPEN_MARK = re.compile(
    r"(?<![a-z0-9.\-])(?=[a-z0-9.\-]*[a-z])(?=[a-z0-9.\-]*[0-9])[a-z0-9]+(?:[.\-][a-z0-9]+)*(?![a-z0-9\-])"
)
MARKS = frozenset({"type_mark", "piece_mark", "model", "mesh_type", "bbs_no", "scheme_no", "drawing_no"})
"""Properties that take any word with digits."""
_ONCE = (_COLOUR, _SYSTEM)
"""Two different ones in a text contradict each other."""
_KEPT_AS_WRITTEN = (_COLOUR, _LABELLED_COLOUR, _SECTION, _SYSTEM, _SIZE_OF_PERSON)

TextPatterns = Sequence[tuple[Property, re.Pattern[str]]]


def text_patterns(definition: TypeDefinition) -> TextPatterns:
    """What is looked for, the surest first."""
    found = []
    for each in definition.identity:
        if each.kind is Kind.STRING:
            found += [(each, pattern) for pattern in _shapes(definition.code, each)]
            words = {each.name_zh.lower().split(" ")[0], *TEXT_LABELS.get(each.key, ())}
            labels = "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))
            pattern = re.compile(rf"(?:{labels})\s*[:：]?\s*([a-z0-9][a-z0-9.\-]*)")
            found.append((each, pattern))
    return found


def _shapes(code: str, each: Property) -> Sequence[re.Pattern[str]]:
    if (code, each.key) == ("ST-SEC", "spec"):
        return (_SECTION,)
    return {
        "glass": (_BUILD,),
        "build": (_BUILD,),
        "colour": (_LABELLED_COLOUR, _COLOUR),
        "system": (_SYSTEM,),
        "revision": (_REVISION,),
        "size": (_SIZE_OF_PERSON,) if code == "MR-PPE" else (),
    }.get(each.key, ())


def read_texts(patterns: TextPatterns, line: ReadLine, known: dict[str, str]) -> None:
    """Texts with a shape of their own, or with their name in front."""
    for each, pattern in patterns:
        if each.key in known and pattern not in _ONCE:
            continue
        found = [(match, _text_of(pattern, match)) for match in line.found(pattern)]
        values = [(match, value) for match, text in found if (value := accepted(each, text)) is not None]
        if not values:
            continue
        if pattern in _ONCE and len({known.get(each.key, values[0][1]), *(value for _, value in values)}) > 1:
            line.contested.add(each.key)
        known[each.key] = values[-1][1] if pattern in _ONCE else values[0][1]
        for match, _ in values if pattern in _ONCE else values[:1]:
            line.take(match.start(), match.end())


def _text_of(pattern: re.Pattern[str], match: re.Match[str]) -> str:
    if pattern is _BUILD:
        return _glass(match[1])
    text = match[1].strip()
    as_written = pattern is _SECTION or (pattern in _KEPT_AS_WRITTEN and not text.isascii())
    return text if as_written else text.upper()


def _glass(build: str) -> str:
    """A build-up as the trade writes it: 6Low-E+12A+6."""
    upper = re.sub(r"(?<=[0-9])mm", "", build).upper().replace("LOW-E", "Low-E").replace("LOWE", "Low-E")
    return upper.replace("AR", "Ar")


def read_open_mark(definition: TypeDefinition, line: ReadLine, known: dict[str, str]) -> None:
    """The one mark that is left in a text is the one mark that is open."""
    missing = [
        each
        for each in definition.identity
        if each.required and each.key not in known and each.key in MARKS and each.kind is Kind.STRING
    ]
    if len(missing) != 1:
        return
    marks = list(line.found(_OPEN_MARK))
    if len(marks) == 1 and (value := accepted(missing[0], marks[0][0].upper())) is not None:
        known[missing[0].key] = value
        line.take(marks[0].start(), marks[0].end())
