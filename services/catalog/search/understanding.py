"""What a search text asks for: its words, the codes among them, and words that were mistyped. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.catalog.search.dictionary import Dictionary
from services.catalog.search.words import Query, asked, chunks, is_chinese, pairs

CODE_WORDS_AT_MOST = 12


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
    """The words asked for. Chinese is written without spaces: of 钢筋三级抗震 the pair 筋三 is no word but the place
    where two words meet, and is left out when nothing here is called so while its neighbours are."""
    query = asked(text)
    seams: set[str] = set()
    for chunk in chunks(text):
        if not is_chinese(chunk):
            continue
        row = pairs(chunk)
        for place in range(1, len(row) - 1):
            around = (row[place - 1], row[place + 1])
            if not dictionary.knows(row[place]) and all(dictionary.knows(each) for each in around):
                seams.add(row[place])
    return Query(tokens=tuple(token for token in query.tokens if token not in seams), phrases=query.phrases)


def corrected(text: str, dictionary: Dictionary) -> tuple[str, list[Correction]]:
    """The text with its unknown words replaced by the nearest known ones, as far as there are any."""
    corrections: list[Correction] = []
    words: list[str] = []
    for chunk in chunks(text):
        unknown = [token for token in asked(chunk).tokens if not dictionary.knows(token)]
        taken = dictionary.speller.nearest(chunk) if unknown and any(each.isalpha() for each in chunk) else None
        if taken is not None and taken != chunk:
            corrections.append(Correction(asked=chunk, taken=taken))
        words.append(taken or chunk)
    return " ".join(words), corrections
