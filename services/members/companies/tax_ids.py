"""Check digits of tax ids, by python-stdnum; its form checks are stricter than the registers are.

`stdnum.cn.uscc.validate` refuses a letter among the first two characters, where real codes of village
collectives (N2…) and of the army's bodies (A1…) have one. So the form is judged by our rule and only the check
digit by the library.
"""

from stdnum import get_cc_module
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

from services.members.companies.rules import Fault, TaxScheme, normalise_tax_value, tax_id_fault


def checked_tax_value(*, scheme: TaxScheme, country: str, value: str) -> tuple[str, Fault | None]:
    """The number in its one spelling, and what is wrong with it, if anything."""
    normalised = normalise_tax_value(value)
    fault = tax_id_fault(scheme=scheme, country=country, value=normalised)
    if fault is not None:
        return normalised, fault
    if scheme is TaxScheme.USCC:
        agrees = uscc.calc_check_digit(normalised[:-1]) == normalised[-1]
    elif scheme is TaxScheme.VAT:
        normalised, agrees = _vat(country=country, value=normalised)
    else:
        agrees = True
    if agrees:
        return normalised, None
    message = f"The check digit does not agree with the rest of {normalised}; look for a typing error."
    return normalised, Fault(field="tax_id.value", rule="CheckDigit", message=message)


def _vat(*, country: str, value: str) -> tuple[str, bool]:
    """The VAT number without its country prefix, and whether its register's check holds."""
    register = get_cc_module(country.lower(), "vat")
    if register is None:
        return value, True
    try:
        return str(register.validate(value)), True
    except ValidationError:
        return value, False
