"""What an offer declares beside its price: edition, freight, certificates, EPD, in the one form they are stored in.

One form, whatever way they came (API, file): so a sync that says the same again finds nothing to change. What is not
declared is NULL, which costs a row nothing.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from services.suppliers.offers.rules import Surcharge
from services.suppliers.offers.schemas import CertificateBody, EpdBody, FreightBody
from services.suppliers.register.rules import Goods
from shared.designations import edition_key


def stored_freight(freight: Sequence[FreightBody]) -> list[dict[str, str]] | None:
    """`[{"region": "11", "price": "28"}]` by region."""
    entries = sorted(freight, key=lambda entry: entry.region)
    return [{"region": entry.region, "price": _plain(entry.price)} for entry in entries] or None


def stored_certificates(certificates: Sequence[CertificateBody]) -> list[dict[str, str | None]] | None:
    """By kind and number."""
    entries = sorted(certificates, key=lambda entry: (entry.kind, entry.number))
    return [entry.model_dump(mode="json") for entry in entries] or None


def stored_epd(epd: EpdBody | None) -> dict[str, str] | None:
    """With the carbon figure as text."""
    return None if epd is None else {**epd.model_dump(mode="json"), "kgco2e": _plain(epd.kgco2e)}


def surcharges(stored: Sequence[dict[str, Any]] | None) -> tuple[Surcharge, ...]:
    """Stored freight as the rules take it."""
    return tuple(Surcharge(region=entry["region"], price=Decimal(entry["price"])) for entry in stored or ())


def goods_of(standard: str | None, type_code: str, snapshot: Mapping[str, Any]) -> Goods:
    """What the registers are asked about: the stated edition, the type and the values of the variant."""
    return Goods(
        standard_key=None if standard is None else edition_key(standard),
        type_code=type_code,
        properties=snapshot.get("properties", {}),
    )


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
