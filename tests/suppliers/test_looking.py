"""What a file of a paper may be: told by its first bytes; a PDF that would do something is refused by what it would."""

import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, TextStringObject

from services.suppliers.papers.looking import FileFound, Limits, look_through, media_type_of
from tests.suppliers.onboarding_world import JPEG, PNG, pdf


def _action(kind: str, **more: Any) -> DictionaryObject:
    return DictionaryObject(
        {NameObject("/S"): NameObject(kind), **{NameObject(f"/{name}"): value for name, value in more.items()}}
    )


def _at_root(key: str, value: Any) -> Callable[[PdfWriter], Any]:
    return lambda writer: writer.root_object.update({NameObject(key): value})


def _on_the_page(key: str, value: Any) -> Callable[[PdfWriter], Any]:
    return lambda writer: writer.pages[0].update({NameObject(key): value})


LINK = ArrayObject(
    [
        DictionaryObject(
            {
                NameObject("/Subtype"): NameObject("/Link"),
                NameObject("/A"): _action("/Launch", F=TextStringObject("calc.exe")),
            }
        )
    ]
)
HOSTILE: dict[str, tuple[Callable[[PdfWriter], Any], str]] = {
    "script among the names": (
        _at_root("/Names", DictionaryObject({NameObject("/JavaScript"): ArrayObject([TextStringObject("x")])})),
        "PdfJavaScript",
    ),
    "script when opened": (
        _at_root("/OpenAction", _action("/JavaScript", JS=TextStringObject("app.alert(1)"))),
        "PdfJavaScript",
    ),
    "address when opened": (_at_root("/OpenAction", _action("/URI", URI=TextStringObject("http://x"))), "PdfActs"),
    "acts when the page is left": (
        _on_the_page("/AA", DictionaryObject({NameObject("/C"): _action("/Named", N=NameObject("/Print"))})),
        "PdfActs",
    ),
    "a link that starts a program": (_on_the_page("/Annots", LINK), "PdfLaunches"),
    "a form that is sent": (_on_the_page("/X", _action("/SubmitForm", F=TextStringObject("http://x"))), "PdfActs"),
    "a file inside": (lambda writer: writer.add_attachment("malware.exe", b"MZ"), "PdfEmbedsFiles"),
    "an XFA form": (
        _at_root("/AcroForm", DictionaryObject({NameObject("/XFA"): TextStringObject("<x/>")})),
        "PdfForm",
    ),
    "a password": (lambda writer: writer.encrypt("secret", algorithm="RC4-128"), "PdfEncrypted"),
    "an empty password": (lambda writer: writer.encrypt("", "owner", algorithm="RC4-128"), "PdfEncrypted"),
}


def looked(path: Path, body: bytes) -> str:
    """As what it was looked through; only a PDF has anything to look through."""
    path.write_bytes(body)
    media_type = media_type_of(path, name="paper.pdf", declared=None)
    look_through(path, media_type=media_type)
    return media_type


@pytest.mark.parametrize("case", HOSTILE)
def test_a_pdf_that_would_do_something_is_refused_by_name(tmp_path: Path, case: str):
    change, code = HOSTILE[case]
    with pytest.raises(FileFound) as found:
        looked(tmp_path / "body", pdf(change))
    assert found.value.code == code
    assert found.value.detail.startswith("The PDF ")


def test_a_name_written_in_hex_hides_nothing(tmp_path: Path):
    """`/J#53` is `/JS` to every reader of PDF."""
    body = pdf(_at_root("/OpenAction", _action("/JavaScript", JS=TextStringObject("app.alert(1)"))))
    hidden = body.replace(b"/JavaScript", b"/Java#53cript").replace(b"/JS", b"/J#53")
    assert b"/JavaScript" not in hidden
    with pytest.raises(FileFound) as found:
        looked(tmp_path / "body", hidden)
    assert found.value.code == "PdfJavaScript"


def test_a_script_that_nothing_points_to_is_found_too(tmp_path: Path):
    """An incremental update could make the catalog point to it."""
    with pytest.raises(FileFound) as found:
        looked(
            tmp_path / "body",
            pdf(lambda writer: writer._add_object(_action("/JavaScript", JS=TextStringObject("app.alert(1)")))),
        )
    assert found.value.code == "PdfJavaScript"


def test_an_ordinary_pdf_is_kept(tmp_path: Path):
    goto = ArrayObject([NumberObject(0), NameObject("/Fit")])
    opening_at = (_at_root("/OpenAction", _action("/GoTo", D=goto)), _at_root("/OpenAction", goto))
    for body in (pdf(), *(pdf(each) for each in opening_at)):
        assert looked(tmp_path / "paper", body) == "application/pdf"


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9])
def test_half_a_pdf_is_refused_clearly(tmp_path: Path, cut: float):
    body = pdf()
    with pytest.raises(FileFound) as found:
        looked(tmp_path / "body", body[: int(len(body) * cut)])
    assert found.value.code == "PdfDamaged"


@pytest.mark.parametrize(
    "body",
    [
        b"%PDF-1.7\n" + b"garbage " * 1000,
        b"%PDF-1.4\n1 0 obj\n" + b"[" * 200_000 + b"\nendobj\ntrailer<</Root 1 0 R>>\n%%EOF",
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 1 0 R>>endobj\ntrailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF",
        b"%PDF-1.4\n%%EOF",
    ],
    ids=["garbage", "nested", "points at itself", "nothing"],
)
def test_a_broken_pdf_is_refused_clearly_and_soon(tmp_path: Path, body: bytes):
    began = time.monotonic()
    with pytest.raises(FileFound) as found:
        looked(tmp_path / "body", body)
    assert found.value.code in {"PdfDamaged", "PdfTooCostly"}
    assert time.monotonic() - began < 60


def with_object_stream(inflated: bytes) -> bytes:
    """A PDF whose sixth object stands in a compressed object stream of this content (PDF 1.5)."""
    packed = zlib.compress(b"6 0 " + inflated, 1)
    stream = b"5 0 obj<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>stream\n" % len(packed)
    parts = [
        b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n",
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n",
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n",
        stream + packed + b"\nendstream endobj\n",
    ]
    body, places = b"%PDF-1.5\n", []
    for part in parts:
        places.append(len(body))
        body += part
    rows = [(0, 0, 0), *((1, place, 0) for place in places[:3]), (1, len(body), 0), (1, places[3], 0), (2, 5, 0)]
    table = b"".join(kind.to_bytes(1, "big") + place.to_bytes(4, "big") + b"\0\0" for kind, place, _ in rows)
    xref = b"4 0 obj<</Type/XRef/Size 7/W[1 4 2]/Root 1 0 R/Length %d>>stream\n" % len(table)
    return body + xref + table + b"\nendstream endobj\nstartxref\n%d\n%%%%EOF" % len(body)


def test_a_pdf_that_inflates_ends_by_its_own_limits(tmp_path: Path):
    looked(tmp_path / "small", with_object_stream(b"<</A 1>>"))
    with pytest.raises(FileFound) as found:
        looked(tmp_path / "script", with_object_stream(b"<</S/JavaScript/JS(app.alert)>>"))
    assert found.value.code == "PdfJavaScript"
    bomb = with_object_stream(b"<</A[" + b"0 " * 60_000_000 + b"]>>")
    assert len(bomb) < 1_000_000
    with pytest.raises(FileFound) as found:
        looked(tmp_path / "bomb", bomb)
    assert found.value.code in {"PdfDamaged", "PdfTooCostly"}


def test_the_clock_ends_it(tmp_path: Path):
    path = tmp_path / "body"
    path.write_bytes(pdf())
    with pytest.raises(FileFound) as found:
        look_through(path, media_type="application/pdf", limits=Limits(wall_seconds=0.001))
    assert found.value.code == "PdfTooCostly"


@pytest.mark.parametrize(
    ("body", "name", "declared", "code"),
    [
        (PNG, "licence.pdf", None, "NameNotOfType"),
        (JPEG, "licence.png", None, "NameNotOfType"),
        (b"MZ" + bytes(100), "licence.pdf", None, "TypeNotTaken"),
        (b"<html><script>x</script></html>", "licence.pdf", "application/pdf", "TypeNotTaken"),
        (b"GIF89a" + bytes(100), "licence.gif", None, "TypeNotTaken"),
        (PNG, "licence.png", "image/jpeg", "ContentTypeNotOfType"),
        (PNG, "licence", None, "NameNotOfType"),
        (b"", "licence.pdf", None, "EmptyFile"),
    ],
)
def test_a_file_is_what_its_first_bytes_say(tmp_path: Path, body: bytes, name: str, declared: str | None, code: str):
    path = tmp_path / "body"
    path.write_bytes(body)
    with pytest.raises(FileFound) as found:
        media_type_of(path, name=name, declared=declared)
    assert found.value.code == code


def test_pictures_are_kept(tmp_path: Path):
    for body, name, kind in (
        (PNG, "a.PNG", "image/png"),
        (JPEG, "a.jpeg", "image/jpeg"),
        (JPEG, "a.jpg", "image/jpeg"),
    ):
        path = tmp_path / "body"
        path.write_bytes(body)
        assert media_type_of(path, name=name, declared="application/octet-stream") == kind
        look_through(path, media_type=kind)
