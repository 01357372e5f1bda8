"""Looking through a file before it is kept: what it is by its first bytes, and whether a PDF would do something.

A PDF can hold scripts, start programs, send forms and carry other files; a proof of anything needs none of it. It is
read by pypdf in a process of its own, where memory, processor time and time on the clock end before anything else
suffers. `python -m services.suppliers.papers.looking FILE` is that process: it prints what it found.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filetype

MEDIA_TYPES = {
    "application/pdf": frozenset({"pdf"}),
    "image/png": frozenset({"png"}),
    "image/jpeg": frozenset({"jpg", "jpeg"}),
}
"""What is kept, with the endings a file of it may have."""

MEMORY_BYTES = 1024 * 1024 * 1024
CPU_SECONDS = 20
WALL_SECONDS = 60.0
OBJECTS_AT_MOST = 100_000
NODES_AT_MOST = 2_000_000
_EXIT_FOUND = 3


class FileFound(Exception):  # noqa: N818 - its text is the sentence the supplier reads
    """Why a file is not kept."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What the reading process may use; memory and processor are always those above."""

    wall_seconds: float = WALL_SECONDS


def media_type_of(path: Path, *, name: str, declared: str | None) -> str:
    """What a file is by its first bytes; its name, and what its sender says it is, must agree.

    Raises:
        FileFound: EmptyFile, TypeNotTaken, NameNotOfType, ContentTypeNotOfType.
    """
    with path.open("rb") as handle:
        head = handle.read(8192)
    if not head:
        raise FileFound("EmptyFile", "The body is empty.")
    guessed = filetype.guess(head)
    kind = None if guessed is None else str(guessed.mime)
    if kind not in MEDIA_TYPES:
        found = "none of them" if kind is None else kind
        raise FileFound("TypeNotTaken", f"A paper is a PDF, PNG or JPEG; by its first bytes this is {found}.")
    ending = name.rpartition(".")[2].lower()
    if ending not in MEDIA_TYPES[kind]:
        wanted = " or ".join(f".{each}" for each in sorted(MEDIA_TYPES[kind]))
        raise FileFound(
            "NameNotOfType", f"{name!r} is {kind} by its first bytes; a name of such a file ends in {wanted}."
        )
    if declared not in {None, "", "application/octet-stream", kind}:
        raise FileFound("ContentTypeNotOfType", f"Content-Type says {declared}; by its first bytes it is {kind}.")
    return kind


def look_through(path: Path, *, media_type: str, limits: Limits = Limits()) -> None:
    """Look through a PDF; blocks until the process is done. Pictures have nothing to look through.

    Raises:
        FileFound: PdfEncrypted, PdfJavaScript, PdfLaunches, PdfActs, PdfEmbedsFiles, PdfForm, PdfDamaged, PdfTooCostly.
    """
    if media_type != "application/pdf":
        return
    command = [sys.executable, "-m", "services.suppliers.papers.looking", str(path.resolve())]
    try:
        done = subprocess.run(  # noqa: S603 - our own module, with a path we made
            command, check=False, capture_output=True, timeout=limits.wall_seconds, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise FileFound("PdfTooCostly", "The PDF takes too long to look through; print it to a new PDF.") from error
    if done.returncode == _EXIT_FOUND:
        finding = json.loads(done.stdout.splitlines()[-1])
        raise FileFound(finding["code"], finding["detail"])
    if done.returncode != 0:
        raise FileFound("PdfTooCostly", "The PDF needs too much memory or time to look through; print it to a new PDF.")


_ACTIONS = {
    "/JavaScript": ("PdfJavaScript", "holds JavaScript"),
    "/Rendition": ("PdfActs", "plays media or runs scripts (Rendition)"),
    "/Launch": ("PdfLaunches", "starts a program or opens a file (Launch)"),
    "/SubmitForm": ("PdfActs", "sends a form to an address (SubmitForm)"),
    "/ImportData": ("PdfActs", "imports data from a file (ImportData)"),
    "/GoToR": ("PdfActs", "opens another file (GoToR)"),
    "/GoToE": ("PdfEmbedsFiles", "opens an embedded file (GoToE)"),
}
_KEYS = {
    "/JS": ("PdfJavaScript", "holds JavaScript"),
    "/JavaScript": ("PdfJavaScript", "holds JavaScript"),
    "/AA": ("PdfActs", "acts by itself when it is opened, printed or closed (AA)"),
    "/EmbeddedFiles": ("PdfEmbedsFiles", "has files embedded in it"),
    "/EF": ("PdfEmbedsFiles", "has files embedded in it"),
    "/AF": ("PdfEmbedsFiles", "has files associated with it"),
    "/XFA": ("PdfForm", "holds an XFA form, which can run scripts"),
    "/RichMediaContent": ("PdfActs", "holds rich media"),
}
_TYPES = {"/EmbeddedFile": ("PdfEmbedsFiles", "has files embedded in it")}
_HARMLESS_OPENING = {"/GoTo", None}


def finding_in(objects: Iterator[Any]) -> FileFound | None:
    """The first thing in a PDF's objects that would do something, or carries a file."""
    pending: list[Any] = []
    nodes = 0
    for each in objects:
        pending.append(each)
        while pending:
            nodes += 1
            if nodes > NODES_AT_MOST:
                return FileFound("PdfTooCostly", f"The PDF has more than {NODES_AT_MOST} parts.")
            node = pending.pop()
            if isinstance(node, dict):
                found = _in_dictionary(node)
                if found is not None:
                    return FileFound(found[0], f"The PDF {found[1]}; print it to a new PDF without that.")
                pending += dict.values(node)
            elif isinstance(node, list):
                pending += list.__iter__(node)
    return None


def _in_dictionary(node: dict[Any, Any]) -> tuple[str, str] | None:
    raw = dict(dict.items(node))
    action = _resolved(raw.get("/S"))
    if isinstance(action, str) and action in _ACTIONS:
        return _ACTIONS[action]
    for key, found in _KEYS.items():
        if key in raw and _resolved(raw[key]) not in (None, [], {}):
            return found
    if _resolved(raw.get("/Type")) in _TYPES:
        return _TYPES["/EmbeddedFile"]
    opening = _resolved(raw.get("/OpenAction"))
    kind = _resolved(opening.get("/S")) if isinstance(opening, dict) else None
    if kind in _HARMLESS_OPENING:
        return None
    code, what = _ACTIONS.get(str(kind), ("PdfActs", f"acts ({kind})"))
    return code, f"{what}, by itself when it is opened (OpenAction)"


def _resolved(value: Any) -> Any:
    return value.get_object() if hasattr(value, "get_object") else value


def _objects(reader: Any) -> Iterator[Any]:
    """The trailer and every object the file names, reachable or not."""
    yield reader.trailer
    numbers = {(number, generation) for generation, known in reader.xref.items() for number in known}
    numbers |= {(number, 0) for number in reader.xref_objStm}
    if len(numbers) > OBJECTS_AT_MOST:
        raise FileFound("PdfTooCostly", f"The PDF has more than {OBJECTS_AT_MOST} objects.")
    from pypdf.generic import IndirectObject

    for number, generation in sorted(numbers):
        yield IndirectObject(number, generation, reader).get_object()


def _look(path: str) -> FileFound | None:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(path, strict=False)
        if reader.is_encrypted:
            return FileFound("PdfEncrypted", "The PDF is encrypted or protected by a password; save it without.")
        if len(reader.pages) == 0:
            return FileFound("PdfDamaged", "The PDF has no page.")
        return finding_in(_objects(reader))
    except FileFound as found:
        return found
    except (PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError, OSError, RecursionError) as error:
        return FileFound("PdfDamaged", f"The PDF cannot be read: {type(error).__name__}. Print it to a new PDF.")


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _main(path: str) -> int:
    sys.dont_write_bytecode = True
    _limit()
    found = _look(path)
    if found is None:
        return 0
    sys.stdout.write(json.dumps({"code": found.code, "detail": found.detail}) + "\n")
    return _EXIT_FOUND


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
