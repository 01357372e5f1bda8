"""One spelling for what the trade writes in many: signs, joined grades, tolerances, ranges. Pure."""

import re
from functools import lru_cache

from services.catalog.search.words import folded

_TIMES = re.compile(r"(?<=[0-9a-z])\s*[x×✕✖*]\s*(?=[0-9])")
_STEPS = (
    (re.compile(r"(?<![0-9.])0\.6\s*/\s*1\s*kv|(?<![0-9a-z])(?:450/750|300/500)\s*v"), " "),
    (re.compile(r"(?<=[0-9])\s*[~～—–至]\s*(?=[0-9])"), "-"),
    (re.compile(r"\s*(?:mm)?\s*±\s*[0-9.]+\s*(?:mm|cm|m|%)?"), "± "),
    (re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))"), ""),
    (re.compile(r"[;,、。\\|]"), " / "),
    (re.compile(r"(?<!kg)(?<!g)(?<!kv)(?<!6)/(?!m[23])"), " / "),
    (re.compile(r"(?:φ|直径)\s*s\s*(?=[0-9])"), "φ"),
    (
        re.compile(r"(?<![0-9a-z\-])[(]?[12][0-9]{3}(?:年|[-.][01]?[0-9](?:[-.][0-3]?[0-9])?(?![0-9.\-x]))[^)\s]*[)]?"),
        " ",
    ),
    (re.compile(r"(?<=[0-9])(?:厘米)"), "cm"),
    (re.compile(r"(?<![a-z])p[.·]?\s?(o|ii|i|f|p)\s?(?=[0-9]{2}\.5)"), r"p.\1 "),
    (re.compile(r"(?<![a-z])p[.·]?\s?(s)[.·]?\s?(a|b)\s?(?=[0-9]{2}\.5)"), r"p.\1.\2 "),
    (re.compile(r"(?<![a-z])p[.·]?\s?(c)\s?(?=[0-9]{2}\.5)"), r"p.\1 "),
    (re.compile(r"(?<![a-z0-9])(c[0-9]{2})\s?(p[0-9]{1,2})(?![0-9])"), r"\1 \2"),
    (re.compile(r"(?<![a-z0-9])(a[0-9]\.[0-9])\s?(b0[0-9])(?![0-9])"), r"\1 \2"),
    (re.compile(r"(?<![a-z0-9])(d[ne]\s?[0-9]+)\s?(pn\s?[0-9]+)"), r"\1 \2"),
    (re.compile(r"(?<=[0-9])\s+(?=(?:mm2|mm|mpa|kg/m3|g/m2)(?![a-z0-9]))"), ""),
    (re.compile(r"mm²|mm\^2|平方毫米"), "mm2"),
    (re.compile(r"°c|℃|度(?=$|\s|[,，;；])"), "°c"),
    (re.compile(r"(?<=[0-9])°c"), "c"),
    (re.compile(r"(?<=[0-9])#"), "# "),
    (re.compile(r"(?<=[0-9])\s*升"), "l "),
    (re.compile(r"(?<![a-z])wdz([abc])(n?)-?\s*(?=[by]y)"), r"z\1 wdz\2-"),
    (re.compile(r"[×*]\s*(?=φ)"), "x"),
)


@lru_cache(maxsize=20_000)
def spelt(text: str) -> str:
    """The text as values are read from it."""
    plain = _TIMES.sub("x", folded(text))
    for pattern, with_ in _STEPS:
        plain = pattern.sub(with_, plain)
    return plain
