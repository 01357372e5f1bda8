"""Making a body of any accepted format readable chunk by chunk; what cannot be taken whole is refused here."""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.suppliers.imports.reading import Prepared, prepare_csv, rendered
from services.suppliers.imports.rendering import loads, object_of, rendered_element
from services.suppliers.imports.rules import COLUMNS, Format, priced
from shared.sheets import BLOCK_BYTES, LINE_BYTES_AT_MOST, FileRefused, last_line, scan, to_csv

_SPACES = " \t\r\n"


def prepare(path: Path, *, format_: Format, charset: str | None, may_price: bool) -> Prepared:
    """What `reading.chunks` needs to know of a body; may write rendered rows beside it. Blocks: run it in a thread.

    Raises:
        FileRefused: nothing of the file is applied.
    """
    scratch = path.with_suffix(".rows")
    if format_ is Format.NDJSON:
        return _prepare_ndjson(path)
    if format_ is Format.JSON:
        return _prepare_json(path, scratch, may_price=may_price)
    if format_ is Format.XLSX:
        table = path.with_suffix(".csv")
        to_csv(path, table)
        prepared = prepare_csv(table, scratch=scratch, declared="utf-8")
    else:
        prepared = prepare_csv(path, scratch=scratch, declared=charset)
    if not may_price and (columns := priced(prepared.columns)):
        raise FileRefused(
            "PricesNotAllowed",
            f"Prices need an API client with prices:write; the file has {', '.join(columns)}.",
            row=1,
        )
    return prepared


def _prepare_ndjson(path: Path) -> Prepared:
    facts = scan(path, declared="utf-8")
    last = last_line(path)
    if last.strip():
        try:
            loads(last.decode("utf-8", "replace"))
        except (ValueError, RecursionError) as error:
            row = _lines(path)
            raise FileRefused("FileTruncated", f"The file ends in the middle of row {row}.", row=row) from error
    start = len(codecs.BOM_UTF8) if facts.encoding == "utf-8-sig" else 0
    return Prepared(
        file=path.name, kind="ndjson", columns=COLUMNS, delimiter=",", start=start, first_row=1, encoding="utf-8"
    )


def _lines(path: Path) -> int:
    with path.open("rb") as handle:
        return sum(1 for _ in handle)


def _prepare_json(path: Path, scratch: Path, *, may_price: bool) -> Prepared:
    scan_json(path)
    rows = 0
    with scratch.open("wb") as out:
        for element in _elements(path):
            out.write(rendered_element(element, may_price=may_price))
            rows += 1
    if rows == 0:
        raise FileRefused("NoRows", "The array is empty.")
    return rendered(scratch, COLUMNS, first_row=1, encoding="utf-8")


def scan_json(path: Path) -> None:
    """Refuse what is no JSON array at first sight.

    Raises:
        FileRefused: EmptyFile, EncodingNotRead, NotAnArray.
    """
    with path.open("rb") as handle:
        head = handle.read(BLOCK_BYTES).removeprefix(codecs.BOM_UTF8).lstrip()
    if not head:
        raise FileRefused("EmptyFile", "The body is empty.")
    if not head.startswith(b"["):
        raise FileRefused("NotAnArray", "The body is a JSON array of rows; send application/x-ndjson for lines.")


class _Text:
    """The part of a file that is being looked at, as text."""

    def __init__(self, path: Path) -> None:
        self._blocks = _decoded(path)
        self.text = ""
        self.at = 0

    def more(self) -> bool:
        """Read on; False at the end."""
        block = next(self._blocks, None)
        if block is None:
            return False
        self.text, self.at = self.text[self.at :] + block, 0
        return True

    def next_sign(self) -> str:
        """The next character that is no space; empty at the end. Not taken."""
        while True:
            while self.at < len(self.text):
                if self.text[self.at] not in _SPACES:
                    return self.text[self.at]
                self.at += 1
            if not self.more():
                return ""


def _decoded(path: Path) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    with path.open("rb") as handle:
        while block := handle.read(BLOCK_BYTES):
            try:
                yield decoder.decode(block)
            except UnicodeDecodeError as error:
                raise FileRefused("EncodingNotRead", "JSON must be UTF-8; this is not.") from error


def _elements(path: Path) -> Iterator[Any]:
    """The elements of a top-level array, one by one, whatever the size of the file."""
    decoder = json.JSONDecoder(parse_float=str, parse_int=str, object_pairs_hook=object_of)
    text = _Text(path)
    text.next_sign()
    text.at += 1
    row = 1
    if text.next_sign() != "]":
        while True:
            yield _element(decoder, text, row)
            sign = text.next_sign()
            text.at += 1
            if sign == "]":
                break
            if sign != ",":
                raise _broken_off(sign, row)
            row += 1
            text.next_sign()
    else:
        text.at += 1
    if text.next_sign():
        raise FileRefused("MalformedJson", f"Something follows the array after row {row}.", row=row)


def _element(decoder: json.JSONDecoder, text: _Text, row: int) -> Any:
    text.next_sign()
    while True:
        try:
            element, end = decoder.raw_decode(text.text, text.at)
        except RecursionError as error:
            raise FileRefused("MalformedJson", f"Row {row} is nested too deep.", row=row) from error
        except ValueError as error:
            # What does not end here may end in the next block; an element as long as this never ends.
            left = len(text.text) - text.at
            if left > LINE_BYTES_AT_MOST:
                raise FileRefused("MalformedJson", f"Row {row} is not JSON: {error}.", row=row) from error
            if not text.more():
                raise _broken_off("" if _unfinished(error, text) else "?", row) from error
            continue
        if end == len(text.text) and not isinstance(element, dict) and text.more():
            continue
        text.at = end
        return element


def _unfinished(error: ValueError, text: _Text) -> bool:
    return not text.text.rstrip().endswith("]") or "Unterminated" in str(error)


def _broken_off(sign: str, row: int) -> FileRefused:
    if not sign:
        return FileRefused("FileTruncated", f"The array ends in the middle of row {row}.", row=row)
    return FileRefused("MalformedJson", f"Row {row} is not JSON, or not followed by a comma.", row=row)
