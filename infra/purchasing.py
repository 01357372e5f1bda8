"""From a material list to a basket: match the lines, choose offers, ask for a quote, place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Any

from infra.api import Answer, Api
from infra.material_list import MaterialLine

MATCH_LINES_AT_MOST = 500
QUOTE_LINES_AT_MOST = 1000
_ROUNDS = 3
"""How often a line that the quote refuses tries its next offer: the index may be a moment behind the stock."""


@dataclass(kw_only=True)
class Choice:
    """One line of the list and what became of it."""

    line: MaterialLine
    status: str
    """matched, ambiguous or unmatched."""
    candidates: list[dict[str, Any]]
    offers: list[dict[str, Any]] = field(default_factory=list)
    """Those that fit, the cheapest first."""
    quoted: dict[str, Any] | None = None
    unit: str = ""
    why: list[str] = field(default_factory=list)
    """Why nothing is chosen."""

    @property
    def offer(self) -> dict[str, Any] | None:
        return self.offers[0] if self.offers else None

    @property
    def chosen(self) -> bool:
        return self.offer is not None and self.quoted is not None

    def document(self) -> dict[str, Any]:
        """For machines."""
        return {
            "row": self.line.row,
            "wanted": self.line.wanted,
            "quantity": str(self.line.quantity),
            "unit": self.unit,
            "need_by": self.line.need_by.isoformat(),
            "status": "chosen" if self.chosen else self.status,
            "offer": self.quoted if self.chosen else None,
            "why": self.why,
            "candidates": [] if self.chosen else [entry["variant_key"] for entry in self.candidates],
        }


def choose(api: Api, lines: Sequence[MaterialLine], *, region: str, currency: str) -> list[Choice]:
    """For every line the cheapest offer that fits, as the services see it now."""
    choices = [
        choice for part in _parts(lines, MATCH_LINES_AT_MOST) for choice in _matched(api, part, region, currency)
    ]
    for _ in range(_ROUNDS):
        asked = [choice for choice in choices if choice.offer is not None and choice.quoted is None]
        if not asked:
            break
        for part in _parts(asked, QUOTE_LINES_AT_MOST):
            _quote(api, part, region=region, currency=currency)
    for choice in choices:
        if choice.quoted is None:
            choice.offers = []
    return choices


def _parts(whole: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(whole), size):
        yield whole[start : start + size]


def _matched(api: Api, lines: Sequence[MaterialLine], region: str, currency: str) -> Iterator[Choice]:
    body = {"lines": [_asked(line) for line in lines], "region": region, "currency": currency, "offers": 10}
    for line, answer in zip(lines, api.post("/catalog/match", body).body["lines"], strict=True):
        choice = Choice(line=line, status=answer["status"], candidates=answer["candidates"])
        choice.unit = answer["unit"] or line.unit
        if choice.status == "matched":
            choice.offers = [offer for offer in choice.candidates[0]["offers"] if offer["fits"]]
        else:
            choice.why = _reasons(answer)
        yield choice


def _asked(line: MaterialLine) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "quantity": str(line.quantity),
        "unit": line.unit,
        "need_by": line.need_by.isoformat(),
    }
    if line.code:
        asked["code"] = line.code
    if line.name:
        asked["text"] = line.name
    if line.properties:
        asked["properties"] = line.properties
    return asked


def _reasons(answer: dict[str, Any]) -> list[str]:
    """What the line leaves open, or what is wrong with the offers of what it means."""
    reasons = [problem["detail"] for problem in answer["problems"]]
    for candidate in answer["candidates"][:1]:
        reasons += [entry["detail"] for entry in candidate["reasons"] if entry["code"] != "Read"]
        reasons += [misfit["detail"] for offer in candidate["offers"][:3] for misfit in offer["misfits"]]
    return list(dict.fromkeys(reasons))


def _quote(api: Api, choices: Sequence[Choice], *, region: str, currency: str) -> None:
    lines = [_basket_line(choice, with_codes=False) for choice in choices]
    answer = api.post("/suppliers/offers/quote", {"lines": lines, "region": region, "currency": currency}).body
    for choice, quoted in zip(choices, answer["lines"], strict=True):
        if quoted["fits"]:
            choice.quoted = quoted
        else:
            choice.why = [reason["detail"] for reason in quoted["reasons"]]
            choice.offers.pop(0)


def _basket_line(choice: Choice, *, with_codes: bool) -> dict[str, Any]:
    assert choice.offer is not None  # noqa: S101 - asked only where there is one
    line = {
        "offer_id": choice.offer["offer_id"],
        "quantity": str(choice.line.quantity),
        "unit": choice.unit,
        "need_by": choice.line.need_by.isoformat(),
    }
    if with_codes:
        line |= {
            "cost_code": choice.line.cost_code,
            "note": choice.line.note,
            "enterprise_code": choice.line.enterprise_code,
        }
    return line


def totals_by_supplier(choices: Sequence[Choice]) -> list[dict[str, Any]]:
    """How many lines and how much money goes where, the largest first."""
    found: dict[str, dict[str, Any]] = {}
    for choice in choices:
        if choice.quoted is None:
            continue
        entry = found.setdefault(
            choice.quoted["supplier_id"],
            {
                "supplier": choice.quoted["supplier_name"],
                "lines": 0,
                "net": Decimal(0),
                "tax": Decimal(0),
                "gross": Decimal(0),
            },
        )
        entry["lines"] += 1
        for amount in ("net", "tax", "gross"):
            entry[amount] += Decimal(choice.quoted[amount])
    return sorted(found.values(), key=lambda entry: -entry["gross"])


def basket_key(content: bytes, *, project_id: str, delivery_point_id: str, again: str = "") -> str:
    """The same list for the same place is the same intent, whenever and however often it is sent."""
    intent = b"\0".join([sha256(content).digest(), project_id.encode(), delivery_point_id.encode(), again.encode()])
    return f"list-{sha256(intent).hexdigest()}"


@dataclass(frozen=True, kw_only=True)
class Basket:
    """Where the goods go, and under which Idempotency-Key."""

    project_id: str
    delivery_point_id: str
    currency: str
    note: str
    key: str


def place(api: Api, choices: Sequence[Choice], basket: Basket) -> Answer:
    """Place the chosen lines as one basket. Raises what `Api.call` raises."""
    body = {
        "project_id": basket.project_id,
        "delivery_point_id": basket.delivery_point_id,
        "currency": basket.currency,
        "note": basket.note,
        "lines": [_basket_line(choice, with_codes=True) for choice in choices if choice.chosen],
    }
    return api.post("/orders/baskets", body, key=basket.key)
