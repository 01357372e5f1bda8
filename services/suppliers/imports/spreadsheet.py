"""An XLSX file's first sheet as CSV, worked out in a process of its own with hard limits.

A small spreadsheet can inflate to gigabytes (stack.md, Files). So its directory is looked at first, and it is read
where memory, processor time and time on the clock end before anything else suffers. Formulas are not worked out:
their stored results count. `python -m services.suppliers.imports.spreadsheet IN OUT` is that process.
"""

import csv
import resource
import subprocess
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from services.suppliers.imports.reading import FileRefused

INFLATED_BYTES_AT_MOST = 50 * 1024 * 1024
RATIO_AT_MOST = 100
ENTRIES_AT_MOST = 1000
MEMORY_BYTES = 1536 * 1024 * 1024
CPU_SECONDS = 60
WALL_SECONDS = 120.0

_DIGITS = 15
"""What a spreadsheet shows of a number: more digits are the noise of its binary form."""

_EXIT_UNREADABLE = 3


def to_csv(source: Path, target: Path, *, wall_seconds: float = WALL_SECONDS) -> None:
    """Write the first sheet as CSV; blocks until the process is done.

    Raises:
        FileRefused: NotASpreadsheet, ZipBomb, SpreadsheetTooCostly.
    """
    check_directory(source)
    command = [sys.executable, "-m", "services.suppliers.imports.spreadsheet", str(source), str(target)]
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


def _main(source: str, target: str) -> int:
    _limit()
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with (
            CalamineWorkbook.from_path(source) as workbook,
            Path(target).open("w", encoding="utf-8", newline="") as out,
        ):
            sheet = workbook.get_sheet_by_index(0)
            writer = csv.writer(out, lineterminator="\n")
            for row in sheet.iter_rows():
                writer.writerow(["" if cell == "" else cell_text(cell) for cell in row])
    except (CalamineError, ValueError, OSError, IndexError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}")
        return _EXIT_UNREADABLE
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1], sys.argv[2]))
