"""Price and stock files on their way to the services: told apart by supplier, and streamed with progress."""

import codecs
import csv
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

SUPPLIER_COLUMN = "supplier_uscc"
MEDIA_TYPES = {
    ".csv": "text/csv",
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
    ".json": "application/json",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_CHUNK_BYTES = 256 * 1024


class FileUnreadable(Exception):  # noqa: N818 - its text is the sentence the user reads
    """The file cannot be sent; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What goes to one supplier's account."""

    tax_id: str | None
    """None: the whole file is one supplier's."""
    file: Path
    media_type: str
    charset: str | None
    lines: tuple[int, ...] | None = None
    """For each row of the part its line in the file it came from, the heading being 1; None when they are the same."""

    @property
    def content_type(self) -> str:
        return f"{self.media_type}; charset={self.charset}" if self.charset else self.media_type

    def line_of(self, row: int) -> int:
        """Where a row of the part stands in the file the user knows; both count the heading as 1."""
        place = row - 2
        return self.lines[place] if self.lines is not None and 0 <= place < len(self.lines) else row


def parts_of(file: Path, *, folder: Path) -> list[Part]:
    """The file as it is, or, when it has a `supplier_uscc` column, one file per supplier written to `folder`.

    Raises:
        FileUnreadable: not a kind of file that is taken, or not readable as one.
    """
    media_type = MEDIA_TYPES.get(file.suffix.lower())
    if media_type is None:
        raise FileUnreadable(f"{file.name}: only {', '.join(MEDIA_TYPES)} files are taken.")
    if not file.is_file():
        raise FileUnreadable(f"There is no file {file}.")
    if media_type != "text/csv":
        return [Part(tax_id=None, file=file, media_type=media_type, charset=None)]
    charset = _charset(file)
    with file.open(encoding="utf-8-sig" if charset == "utf-8" else charset, newline="") as stream:
        reader = csv.reader(stream, strict=True)
        heading = next(reader, [])
        if SUPPLIER_COLUMN not in heading:
            return [Part(tax_id=None, file=file, media_type=media_type, charset=charset)]
        try:
            return _split(reader, heading, column=heading.index(SUPPLIER_COLUMN), folder=folder)
        except csv.Error as problem:
            raise FileUnreadable(f"{file.name}, line {reader.line_num}: malformed CSV: {problem}.") from problem


def _split(reader: Any, heading: list[str], *, column: int, folder: Path) -> list[Part]:
    written: dict[str, tuple[TextIO, Any, list[int]]] = {}
    with ExitStack() as open_files:
        for row in reader:
            if not row:
                continue
            tax_id = row[column].strip() if column < len(row) else ""
            if not tax_id.isalnum():
                raise FileUnreadable(f"Line {reader.line_num} names no supplier in {SUPPLIER_COLUMN}.")
            if tax_id not in written:
                stream = open_files.enter_context((folder / f"{tax_id}.csv").open("w", encoding="utf-8", newline=""))
                writer = csv.writer(stream, lineterminator="\n")
                writer.writerow(heading[:column] + heading[column + 1 :])
                written[tax_id] = (stream, writer, [])
            _, writer, lines = written[tax_id]
            writer.writerow(row[:column] + row[column + 1 :])
            lines.append(reader.line_num)
    return [
        Part(
            tax_id=tax_id, file=Path(stream.name), media_type="text/csv", charset="utf-8", lines=tuple(lines)
        )
        for tax_id, (stream, _, lines) in written.items()
    ]  # fmt: skip


def _charset(file: Path) -> str:
    """UTF-8 unless the file is not; then the Chinese national encoding."""
    with file.open("rb") as stream:
        checker = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := stream.read(_CHUNK_BYTES):
                checker.decode(chunk)
            checker.decode(b"", final=True)
        except UnicodeDecodeError:
            return "gb18030"
    return "utf-8"


def read_in_chunks(file: Path, *, progress: Callable[[int], None]) -> Iterator[bytes]:
    """The file's bytes, telling how many have gone."""
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk
            progress(len(chunk))
