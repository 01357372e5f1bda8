"""Files of rows as companies send them: CSV in UTF-8 or GB18030, and the first sheet of an XLSX.

A small spreadsheet can inflate to gigabytes (stack.md, Files). So its directory is looked at first, and it is read
where memory, processor time and time on the clock end before anything else suffers. Formulas are not worked out:
their stored results count. `python -m shared.sheets IN OUT [fill]` is that process.
"""

import codecs
import csv
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

BLOCK_BYTES = 1024 * 1024
LINE_BYTES_AT_MOST = 64 * 1024
DELIMITERS = ",;\t"

INFLATED_BYTES_AT_MOST = 50 * 1024 * 1024
RATIO_AT_MOST = 100
ENTRIES_AT_MOST = 1000
MEMORY_BYTES = 1536 * 1024 * 1024
CPU_SECONDS = 60
WALL_SECONDS = 120.0

_DIGITS = 15
"""What a spreadsheet shows of a number: more digits are the noise of its binary form."""

_EXIT_UNREADABLE = 3


class FileRefused(Exception):  # noqa: N818 - its text is the sentence the supplier reads
    """A file that cannot be taken at all: nothing of it is applied. `row` is where it breaks."""

    def __init__(self, code: str, detail: str, *, row: int | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.row = row


@dataclass(frozen=True, kw_only=True, slots=True)
class TextFacts:
    """What one pass over a text file shows."""

    encoding: str
    quoted: bool


def scan(path: Path, *, declared: str | None = None) -> TextFacts:
    """Look through a text file once: its encoding, and whether it has quotes.

    Raises:
        FileRefused: EmptyFile, NulByte, LineTooLong, EncodingNotRead.
    """
    with path.open("rb") as handle:
        head = handle.read(4)
    if not head:
        raise FileRefused("EmptyFile", "The body is empty.")
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"} or head == b"\x00\x00\xfe\xff":
        raise FileRefused("EncodingNotRead", "The file is UTF-16 or UTF-32; send UTF-8 (or GB18030).")
    if head[:2] == b"PK":
        raise FileRefused("NotText", "The body is a ZIP (a spreadsheet?); send it with its own Content-Type.")
    quoted = _look_through(path)
    if declared != "gb18030" and _bad_row(path, "utf-8") is None:
        return TextFacts(encoding="utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8", quoted=quoted)
    if declared == "utf-8":
        row = _bad_row(path, "utf-8")
        raise FileRefused("EncodingNotRead", f"Row {row} is not UTF-8, which the body says it is.", row=row)
    row = _bad_row(path, "gb18030")
    if row is not None:
        raise FileRefused("EncodingNotRead", f"Row {row} is neither UTF-8 nor GB18030.", row=row)
    return TextFacts(encoding="gb18030", quoted=quoted)


def blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as handle:
        while block := handle.read(BLOCK_BYTES):
            yield block


def _look_through(path: Path) -> bool:
    quoted, row, open_bytes = False, 1, 0
    for block in blocks(path):
        if (place := block.find(b"\0")) >= 0:
            row += block.count(b"\n", 0, place)
            raise FileRefused("NulByte", f"Row {row} holds a NUL byte.", row=row)
        open_bytes = _check_lines(block, row=row, open_bytes=open_bytes)
        row += block.count(b"\n")
        quoted = quoted or b'"' in block
    return quoted


def _check_lines(block: bytes, *, row: int, open_bytes: int) -> int:
    """Refuse a line that is too long; how much of a line is open at the end, as `open_bytes` were at the beginning."""
    begin, most = 0, LINE_BYTES_AT_MOST - open_bytes
    while len(block) - begin > most:
        end = block.rfind(b"\n", begin, begin + most + 1)
        if end < 0:
            row += block.count(b"\n", 0, begin)
            raise FileRefused("LineTooLong", f"The line of row {row} is longer than any row can be.", row=row)
        begin, most = end + 1, LINE_BYTES_AT_MOST
    last = block.rfind(b"\n", begin)
    return len(block) - last - 1 if last >= 0 else len(block) - begin + (LINE_BYTES_AT_MOST - most)


def _bad_row(path: Path, encoding: str) -> int | None:
    """The row at which the file stops being of an encoding, if it does."""
    decoder = codecs.getincrementaldecoder(encoding)()
    row = 1
    for block in blocks(path):
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            return row + error.object.count(b"\n", 0, error.start)
        row += block.count(b"\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return row
    return None


def last_line(path: Path) -> bytes:
    """What stands behind the last line feed: empty when the file ends with one."""
    with path.open("rb") as handle:
        handle.seek(max(0, path.stat().st_size - LINE_BYTES_AT_MOST))
        return handle.read().rsplit(b"\n", 1)[-1]


def to_csv(source: Path, target: Path, *, fill_merged: bool = False, wall_seconds: float = WALL_SECONDS) -> None:
    """Write the first sheet as CSV; blocks until the process is done.

    With `fill_merged` every cell of a merged range holds the range's text, as a reader sees it.

    Raises:
        FileRefused: NotASpreadsheet, ZipBomb, SpreadsheetTooCostly.
    """
    check_directory(source)
    command = [sys.executable, "-m", "shared.sheets", str(source), str(target), *(["fill"] if fill_merged else [])]
    try:
        done = subprocess.run(  # noqa: S603 - our own module, with paths we made
            command, check=False, capture_output=True, timeout=wall_seconds, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise FileRefused("SpreadsheetTooCostly", "The spreadsheet takes too long to read; send CSV.") from error
    if done.returncode == _EXIT_UNREADABLE:
        reason = done.stderr.decode(errors="replace").strip()[-300:]
        raise FileRefused("NotASpreadsheet", f"The file cannot be read as XLSX: {reason}")
    if done.returncode != 0:
        raise FileRefused("SpreadsheetTooCostly", "The spreadsheet needs too much memory to read; send CSV.")


def check_directory(source: Path) -> None:
    """Refuse what inflates beyond measure, by what its directory says; the process' limits catch what it hides.

    Raises:
        FileRefused: NotASpreadsheet, ZipBomb.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise FileRefused("NotASpreadsheet", f"The file is no XLSX: {error}.") from error
    if len(entries) > ENTRIES_AT_MOST:
        raise FileRefused("ZipBomb", f"The file holds {len(entries)} parts; at most {ENTRIES_AT_MOST} are read.")
    inflated = sum(entry.file_size for entry in entries)
    if inflated > INFLATED_BYTES_AT_MOST:
        raise FileRefused(
            "ZipBomb",
            f"The file inflates to {inflated} bytes; at most {INFLATED_BYTES_AT_MOST} are read. Send CSV.",
        )
    if inflated > RATIO_AT_MOST * max(1, source.stat().st_size):
        raise FileRefused("ZipBomb", f"The file inflates to more than {RATIO_AT_MOST} times its size.")


def cell_text(value: Any) -> str:
    """A cell as it is shown, in the notation of our columns."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(Decimal(format(value, f".{_DIGITS}g")), "f") if value == value else ""  # noqa: PLR0124 - NaN
    if isinstance(value, datetime):
        midnight = value.time() == time(0)
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value.total_seconds())
    return str(value)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (10 * INFLATED_BYTES_AT_MOST, 10 * INFLATED_BYTES_AT_MOST))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _unmerged(
    rows: Iterator[list[Any]], ranges: Sequence[tuple[tuple[int, int], tuple[int, int]]]
) -> Iterator[list[Any]]:
    """The rows with the text of each merged range in all its cells."""
    begins: dict[int, list[tuple[int, int, int]]] = {}
    for (top, left), (bottom, right) in ranges:
        begins.setdefault(top, []).append((left, right, bottom))
    open_: list[tuple[int, int, int, Any]] = []
    for number, row in enumerate(rows):
        open_ = [each for each in open_ if each[2] >= number]
        open_ += [(left, right, bottom, row[left]) for left, right, bottom in begins.get(number, ()) if left < len(row)]
        for left, right, _, value in open_:
            for column in range(left, min(right + 1, len(row))):
                row[column] = value
        yield row


def _main(source: str, target: str, *options: str) -> int:
    _limit()
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with (
            CalamineWorkbook.from_path(source) as workbook,
            Path(target).open("w", encoding="utf-8", newline="") as out,
        ):
            sheet = workbook.get_sheet_by_index(0)
            writer = csv.writer(out, lineterminator="\n")
            rows = sheet.iter_rows()
            for row in _unmerged(rows, sheet.merged_cell_ranges or ()) if "fill" in options else rows:
                writer.writerow(["" if cell == "" else cell_text(cell) for cell in row])
    except (CalamineError, ValueError, OSError, IndexError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}")
        return _EXIT_UNREADABLE
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
