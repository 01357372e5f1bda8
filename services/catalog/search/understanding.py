"""What a search text asks for: its words, the codes among them, and words that were mistyped. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.catalog.search.dictionary import Dictionary
from services.catalog.search.words import Query, asked, chunks, folded, is_chinese, is_specification, pairs, phrase

CODE_WORDS_AT_MOST = 12
_PIECES_AT_MOST = 8
_TYPED_AT_LEAST = 5
_NAME_WORDS_AT_MOST = 4
_SIZE = re.compile(r"[a-z]{0,3}[0-9.]+(?:x[0-9.]+)+")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_PIECE = re.compile(r"[a-z]+|[0-9]+(?:\.[0-9]+)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """A word that means nothing here, and the one taken for it."""

    asked: str
    taken: str


def code_words(text: str) -> list[str]:
    """What may be a code: the whole text and each of its words; numbers only when too long to be sizes."""
    whole = text.strip()
    words = [whole, *whole.split()[:CODE_WORDS_AT_MOST]]
    return list(dict.fromkeys(word for word in words if not word.replace(".", "").isdigit() or len(word) > 5))


def tokens_of_codes(found: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """By type, the tokens of the words that are a code of it."""
    tokens: dict[str, list[str]] = {}
    for word, type_codes in found.items():
        for code in type_codes:
            tokens.setdefault(code, []).extend(asked(word).tokens)
    return tokens


def understood(text: str, dictionary: Dictionary) -> Query:
    """The words asked for.

    Chinese is written without spaces: of 钢筋三级抗震 the pair 筋三 is no word but the place where two words meet, and
    is left out when nothing here is called so while its neighbours are. C30P6 is C30 and P6 written together.
    """
    text = _in_force(text)
    tokens: dict[str, None] = {}
    plain = folded(text)
    for chunk in chunks(text):
        row = pairs(chunk) if is_chinese(chunk) else []
        seams = {
            row[place]
            for place in range(1, len(row) - 1)
            if not dictionary.knows(row[place])
            and dictionary.knows(row[place - 1])
            and dictionary.knows(row[place + 1])
        }
        seams |= _edges(chunk, row, dictionary)
        apart = _apart(chunk, dictionary)
        if apart:
            plain = plain.replace(chunk, " ".join(apart), 1)
        tokens |= dict.fromkeys(apart or (token for token in asked(chunk).tokens if token not in seams))
    query = asked(text)
    known = all(dictionary.knows(token) or is_specification(token) for token in tokens) and not _mistyped(
        tokens, dictionary
    )
    return Query(
        tokens=tuple(tokens)[: len(query.tokens) + CODE_WORDS_AT_MOST],
        phrases=tuple(dict.fromkeys([*query.phrases, *_names(text)])),
        text=plain if known else "",
    )


_Q345 = re.compile(r"(?<![a-z0-9])q345(?=[b-e]?(?![a-z0-9]))", re.IGNORECASE)


def _in_force(text: str) -> str:
    """The grade that took the place of the one asked: Q345 of GB/T 1591-2008 is sold as Q355 since 2018.

    A search may show it, for a person looks; a list of codes that says Q345 is asked about.
    """
    return _Q345.sub("Q355", text)


_BEFORE = frozenset("厚宽长高的用做砌装")
_BEHIND = frozenset("用的")


def _edges(chunk: str, row: Sequence[str], dictionary: Dictionary) -> set[str]:
    """Pairs in which a word begins or ends that only says what for, or what the number before it is of: 20厚钢板."""
    found = set()
    if len(row) > 1 and chunk[0] in _BEFORE and dictionary.knows(row[1]) and not dictionary.knows(row[0]):
        found.add(row[0])
    if len(row) > 1 and chunk[-1] in _BEHIND and dictionary.knows(row[-2]) and not dictionary.knows(row[-1]):
        found.add(row[-1])
    return found


def _mistyped(tokens: Iterable[str], dictionary: Dictionary) -> bool:
    """Whether a word with letters and digits is nearly one that is known: HBR400E."""
    return any(
        dictionary.speller.nearest(token) is not None
        for token in tokens
        if is_specification(token)
        and token[0].isalpha()
        and not is_chinese(token)
        and not dictionary.knows(token)
        and not _SIZE.fullmatch(token)
    )


def _names(text: str) -> list[str]:
    """Neighbouring English words as one name: sleeve grout."""
    found = chunks(text)
    return [
        phrase(" ".join(found[start:end]))
        for start in range(len(found))
        for end in range(start + 2, min(start + _NAME_WORDS_AT_MOST, len(found)) + 1)
        if all(each[0].isascii() and not is_specification(each) for each in found[start:end])
    ]


def _apart(chunk: str, dictionary: Dictionary) -> list[str]:
    """The words that were written together, where letters and digits meet; nothing when they are not known."""
    if is_chinese(chunk) or dictionary.knows(chunk) or _SIZE.fullmatch(chunk) or not chunk[0].isalpha():
        return []
    pieces = _PIECE.findall(chunk)
    if not 2 <= len(pieces) <= _PIECES_AT_MOST or "".join(pieces) != chunk:
        return []
    return _joined(pieces, dictionary)


def _joined(pieces: Sequence[str], dictionary: Dictionary) -> list[str]:
    """The longest known words that the pieces make, from the left; numbers may stand alone."""
    words: list[str] = []
    place = 0
    while place < len(pieces):
        for end in range(len(pieces), place, -1):
            word = "".join(pieces[place:end])
            if dictionary.knows(word) or (end == place + 1 and word[0].isdigit()):
                words.append(word)
                place = end
                break
        else:
            return []
    return words if len(words) > 1 else []


def known_only(query: Query, text: str, dictionary: Dictionary) -> Query:
    """Without what nothing here is called, so that the rest can be found.

    A size nobody has as a whole is looked for by its numbers. Of an unknown Chinese word the last known character
    stays: what a thing is stands at the end.
    """
    tokens: dict[str, None] = {}
    for place, token in enumerate(query.tokens):
        following = query.tokens[place + 1] if place + 1 < len(query.tokens) else ""
        if _SIZE.fullmatch(token):
            tokens |= dict.fromkeys(_NUMBER.findall(token))
        elif dictionary.knows(token) or is_specification(token):
            tokens[token] = None
        elif is_chinese(token) and not following.startswith(token[-1]) and (part := dictionary.part_of(token)):
            tokens[part] = None
    return Query(tokens=tuple(tokens), phrases=query.phrases, text=_in_force(text))


def _completed(chunk: str, dictionary: Dictionary) -> str | None:
    """The shortest name that begins so, of a word whose end was not typed: plasterb."""
    if len(chunk) < _TYPED_AT_LEAST or not chunk.isalpha() or not chunk.isascii():
        return None
    return next(iter(dictionary.names_beginning(chunk)), None)


def corrected(text: str, dictionary: Dictionary) -> tuple[str, list[Correction]]:
    """The text with its unknown words replaced by the nearest known ones, as far as there are any."""
    corrections: list[Correction] = []
    words: list[str] = []
    for chunk in chunks(text):
        unknown = [token for token in asked(chunk).tokens if not dictionary.knows(token)]
        taken = (
            _completed(chunk, dictionary) or dictionary.speller.nearest(chunk)
            if unknown and not chunk[0].isdigit() and not _apart(chunk, dictionary)
            else None
        )
        if taken is not None and taken != chunk:
            corrections.append(Correction(asked=chunk, taken=taken))
        words.append(taken or chunk)
    return " ".join(words), corrections
