"""Rows of enterprises' material lists with the answer to each: what code mapping is measured on.

Written from the taxonomy and from how such lists look, apart from the matcher: each trade's wording is by hand in
`tests/catalog/enterprise`, nothing there is taken from the product's word lists. The same seed gives the same rows.

Mixture of the 2,600 rows (shares of the rows, `assembly.SHARES`):

exact          62 %   one variant, all required identity values written; 6 % of these are a second code for a thing
                      that has one in that house (一物多码, tag `second_code`)
broader        14 %   required identity values are not written; truth.missing lists them
unmatched      11 %   other goods, many borrowing our words (钢筋切断机), and values the taxonomy does not have (HRB335,
                      DN90; tag `near_miss`, truth.type_code is the type it almost is)
contradiction  4.5 %  name and spec disagree about one identity property
unit           4 %    a variant, counted in a unit of a dimension its type does not convert to
split          4.5 %  one row for several sizes (Φ16/18/20), and, tag `code_twice`, one code on two rows of different
                      things (一码多物: each row alone looks exact)

Houses: eight, each with its own separator, order, signs for times and diameter, unit words, category column and
status words. Noise is tagged: `typo` (2 % of names that have a word we misspell, 0.6 % of specs with a code),
`full_width`, `thousands`, `unit_in_name` (the unit column is empty), `brand_in_name`, `remark` (dates, 甲供), and
`all_in_name` (empty spec), `standard`, `old_standard` (a replaced edition is written; it still names the variant, so
the truth is what it is without it: count these apart if a withdrawn edition stops the mapping by rule),
`obsolete_code` (5 % are retired in their own ERP; they still name what they name).

What the truth takes for granted: an optional identity property that is not written is not part of the key; a written
text property is compared after `x` for `×`; 三级钢 is HRB400 and 三级抗震 is HRB400E; 圆钢 rows always say the grade.
"""

from functools import cache

from tests.catalog.enterprise.assembly import SHARES, assembled
from tests.catalog.enterprise.files import CHINESE_COLUMNS, COLUMNS, as_csv
from tests.catalog.enterprise.houses import HOUSES
from tests.catalog.enterprise.model import EnterpriseRow, Truth, TruthKind

__all__ = [
    "CHINESE_COLUMNS",
    "COLUMNS",
    "HOUSES",
    "SHARES",
    "EnterpriseRow",
    "Truth",
    "TruthKind",
    "as_csv",
    "rows",
]
SEED = 20261125
COUNT = 2600


@cache
def _kept(seed: int, count: int) -> tuple[EnterpriseRow, ...]:
    return tuple(assembled(seed, count))


def rows(seed: int = SEED, *, count: int = COUNT) -> list[EnterpriseRow]:
    """The rows of all houses, shuffled; a list of one's own."""
    return list(_kept(seed, count))
