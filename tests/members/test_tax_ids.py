"""Tax ids: one spelling, the form, the check digit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from services.members.companies.rules import USCC_ALPHABET, TaxScheme, normalise_tax_value
from services.members.companies.tax_ids import checked_tax_value

GOOD = "91110000MA4GCAL01D"


def checked(value: str, *, scheme: TaxScheme = TaxScheme.USCC, country: str = "CN"):
    normalised, fault = checked_tax_value(scheme=scheme, country=country, value=value)
    return normalised, fault.rule if fault else None


@pytest.mark.parametrize("value", [GOOD, "91510000MA5GCBW026", "91320500MA2DEMQ7X8", "91330100MA3XYH8K24"])
def test_the_companies_of_the_demo_world_have_good_codes(value):
    assert checked(value) == (value, None)


@pytest.mark.parametrize(
    "written",
    [
        "91110000ma4gcal01d",
        " 91110000 MA4GCAL0 1D ",
        "91110000-MA4GCAL01-D",
        "９１１１００００ＭＡ４ＧＣＡＬ０１Ｄ",
        "91110000\u200bMA4GCAL01D\ufeff",
        "91110000\u3000MA4GCAL01D",
    ],
)
def test_one_spelling_for_every_way_to_write_it(written):
    assert checked(written) == (GOOD, None)


def test_a_wrong_last_digit_breaks_the_check_digit_rule():
    assert checked(GOOD[:-1] + "E") == (GOOD[:-1] + "E", "CheckDigit")


@pytest.mark.parametrize("letter", "IOSVZ")
def test_letters_that_look_like_digits_are_not_of_the_alphabet(letter):
    assert checked(f"91110000MA4GC{letter}L01D")[1] == "Alphabet"


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("", "Length"),
        ("110105000000000", "OldRegistrationNumber"),
        ("11010500000000A", "Length"),
        (GOOD + "1", "Length"),
        ("9111000AMA4GCAL01D", "RegionCode"),
        ("91110000MA4GCAL01ß", "Length"),
        ("九1110000MA4GCAL01D", "Alphabet"),
    ],
)
def test_the_form_is_judged_before_the_check_digit(value, rule):
    assert checked(value)[1] == rule


@pytest.mark.parametrize("start", ["N2", "A1", "Y1", "51", "13"])
def test_registers_other_than_commerce_use_letters_too(start):
    body = f"{start}110105MF0123456"[:17]
    assert checked(body + uscc.calc_check_digit(body))[1] is None


@given(st.text(alphabet=USCC_ALPHABET, min_size=9, max_size=9), st.integers(0, 16), st.data())
def test_any_single_wrong_character_is_noticed(organisation, place, data):
    body = f"91310000{organisation}"
    good = body + uscc.calc_check_digit(body)
    alphabet = "0123456789" if 2 <= place < 8 else USCC_ALPHABET
    wrong = data.draw(st.sampled_from([c for c in alphabet if c != good[place]]))
    assert checked(good)[1] is None
    assert checked(good[:place] + wrong + good[place + 1 :])[1] == "CheckDigit"


@given(st.text(alphabet="09azAZ０９ａＺ -./\u3000\u200b①Ⅳ"))
def test_normalising_twice_changes_nothing(text):
    once = normalise_tax_value(text)
    assert normalise_tax_value(once) == once


def test_companies_in_china_are_identified_by_uscc_and_only_they_are():
    assert checked(GOOD, country="DE")[1] == "SchemeOfCountry"
    assert checked("123456789012345", scheme=TaxScheme.NATIONAL)[1] == "SchemeOfCountry"


def test_a_foreign_vat_number_is_checked_by_its_register_and_has_one_spelling():
    assert checked("DE 136,695 976".replace(",", ""), scheme=TaxScheme.VAT, country="DE") == ("136695976", None)
    assert checked("136695976", scheme=TaxScheme.VAT, country="DE") == ("136695976", None)
    assert checked("136695978", scheme=TaxScheme.VAT, country="DE")[1] == "CheckDigit"


def test_a_number_of_a_register_we_do_not_know_is_taken_by_its_form():
    assert checked("12-345.678", scheme=TaxScheme.NATIONAL, country="US") == ("12345678", None)
    assert checked("x", scheme=TaxScheme.NATIONAL, country="US")[1] == "Alphabet"


def test_a_country_is_two_capitals():
    assert checked("12345678", scheme=TaxScheme.NATIONAL, country="U1")[1] == "CountryCode"
