"""Material lists as sites send them: Chinese headings, words for units, GB18030, workbooks, and mistakes."""

import io
from datetime import date
from decimal import Decimal

import pytest
import xlsxwriter

from infra.material_list import ListUnreadable, read_material_list, unit_code

TODAY = date(2026, 11, 22)
HEADING = "编码,名称,规格,数量,单位,需用日期,成本科目,备注\n"


def read(text: str, **options):
    return read_material_list(text.encode("utf-8"), name="list.csv", today=TODAY, **options)


def test_a_line_is_read_with_its_properties_unit_and_date():
    (line,) = read(HEADING + 'RB-HRB,热轧带肋钢筋,牌号=HRB400E; 公称直径:20,"1,250.5",吨,2026-12-05,钢筋,二层\n')
    assert line.code == "RB-HRB"
    assert line.properties == {"牌号": "HRB400E", "公称直径": "20"}
    assert line.quantity == Decimal("1250.5")
    assert (line.unit, line.need_by, line.cost_code, line.row) == ("t", date(2026, 12, 5), "钢筋", 2)


@pytest.mark.parametrize(
    ("text", "day"),
    [("+14", date(2026, 12, 6)), ("+ 3 天", date(2026, 11, 25)), ("2026/12/5", date(2026, 12, 5)),
     ("2026年12月5日", date(2026, 12, 5)), ("2026.12.05", date(2026, 12, 5))],
)  # fmt: skip
def test_dates_are_taken_as_people_write_them(text, day):
    assert read(f"{HEADING}RB-HRB,,牌号=HRB400,1,t,{text},,\n")[0].need_by == day


@pytest.mark.parametrize(("word", "code"), [("根", "piece"), ("㎡", "m2"), ("方", "m3"), ("T", "t"), ("担", "担")])
def test_words_of_the_trade_become_unit_codes_and_unknown_ones_stay(word, code):
    assert unit_code(word) == code


def test_english_headings_and_gb18030_text_are_taken():
    text = "name,specification,quantity,unit,need_by\n热轧带肋钢筋,牌号=HRB400,3,吨,+7\n"
    (line,) = read_material_list(text.encode("gb18030"), name="list.csv", today=TODAY)
    assert line.name == "热轧带肋钢筋"


def test_a_workbook_is_read_like_the_text():
    memory = io.BytesIO()
    book = xlsxwriter.Workbook(memory)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["编码", "规格", "数量", "单位", "需用日期"])
    sheet.write_row(1, 0, ["RB-HRB", "公称直径=20", 27.72, "吨"])
    sheet.write_datetime(1, 4, date(2026, 12, 5), book.add_format({"num_format": "yyyy-mm-dd"}))
    book.close()
    (line,) = read_material_list(memory.getvalue(), name="list.xlsx", today=TODAY)
    assert (line.quantity, line.need_by) == (Decimal("27.72"), date(2026, 12, 5))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("RB-HRB,,牌号=HRB400,0,t,+7,,", "not above zero"),
        ("RB-HRB,,牌号=HRB400,NaN,t,+7,,", "not above zero"),
        ("RB-HRB,,牌号=HRB400,many,t,+7,,", "not a number"),
        ("RB-HRB,,牌号 HRB400,1,t,+7,,", "not `property=value`"),
        ("RB-HRB,,牌号=a;牌号=b,1,t,+7,,", "stands twice"),
        ("RB-HRB,,牌号=HRB400,1,t,soon,,", "neither 2026-12-05 nor"),
        (",,牌号=HRB400,1,t,+7,,", "neither a code nor a name"),
    ],
)
def test_a_faulty_line_is_named_with_its_fault(row, said):
    with pytest.raises(ListUnreadable, match=f"line 2.*{said}"):
        read(f"{HEADING}{row}\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "empty"), (b"a,b\n1,2\n", "lacks the column"), (b"\xff\xfe\x00\x01", "neither UTF-8"),
     ('编码,数量,单位,需用日期\n"RB-HRB,1,t,+7\n'.encode(), "malformed CSV"), (HEADING.encode(), "no lines")],
)  # fmt: skip
def test_a_file_that_is_no_list_says_why(content, said):
    with pytest.raises(ListUnreadable, match=said):
        read_material_list(content, name="list.csv", today=TODAY)


def test_a_broken_workbook_says_so():
    with pytest.raises(ListUnreadable, match="not a readable workbook"):
        read_material_list(b"PK\x03\x04 no zip", name="list.xlsx", today=TODAY)
