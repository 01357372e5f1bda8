"""Benchmark 6: do people find what they mean? The judged queries of `benchmarks.relevance`, over HTTP.

The index holds variants of every type, each offered; whoever searches sees all of them, so what is measured is the
ranking alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from benchmarks.catalog_world import CatalogWorld, MadeVariant, Scale
from benchmarks.product import Product
from benchmarks.relevance import PAGE, Query, blind_queries, development_queries, grade, ndcg, queries
from benchmarks.report import Section, number, table, verdict
from benchmarks.world import World

_AIM = 0.90
_VARIANTS = 8_000
"""All variants of types that have few, about two hundred of each that has many."""

_SETS = """The search was improved on the queries of the set `tuned`, and may be on those of the set `development`;
nobody may improve it on the set `blind`, so that is the figure to expect for words that nobody has looked at."""

Search = Callable[[Mapping[str, str | list[str]]], list[MadeVariant]]
"""The first page for these parameters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """One query and how well it was answered; `score` is None when the index holds nothing of use."""

    query: Query
    score: float | None
    found: int


def parameters(query: Query) -> dict[str, str | list[str]]:
    """A judged query as a search."""
    asked: dict[str, str | list[str]] = {"q": query.text, "limit": str(PAGE), "offers": "0"}
    if query.facets is not None:
        asked |= {"type": query.facets.type_code} if query.facets.type_code else {}
        asked |= {"category": query.facets.category} if query.facets.category else {}
        asked |= {f"p.{key}": list(values) for key, values in query.facets.properties.items()}
    return asked


def judged(search: Search, population: Sequence[MadeVariant], *, asked: Iterable[Query]) -> list[Judged]:
    """These queries against an index of these variants."""
    found = []
    for query in asked:
        hits = search(parameters(query))
        score = ndcg(
            [grade(query, each.type_code, each.values) for each in hits],
            population=[grade(query, each.type_code, each.values) for each in population],
        )
        found.append(Judged(query=query, score=score, found=len(hits)))
    return found


def benchmark(running: Product, world: World) -> Section:
    """Fill, ask every query, grade."""
    running.rest("catalog worker")
    made = CatalogWorld(running.admin_of("catalog"), Scale(variants=_VARIANTS, suppliers=20))
    made.fill(open_to_all=True)
    api = running.api.signed_in(world.buyers[0].tokens)

    def search(asked: Mapping[str, str | list[str]]) -> list[MadeVariant]:
        items = api.call("GET", "/catalog/search", params=dict(asked)).body["items"]
        variants = [each["variant"] for each in items]
        return [MadeVariant(type_code=each["type_code"], values=each["properties"]) for each in variants]

    sets = {
        "tuned": judged(search, made.variants, asked=queries()),
        "development": judged(search, made.variants, asked=development_queries()),
        "blind": judged(search, made.variants, asked=blind_queries()),
    }
    return report(sets, variants=len(made.variants))


def report(sets: Mapping[str, Sequence[Judged]], *, variants: int) -> Section:
    """Figures of each set, over all and by the way the words were chosen; the sets are never mixed."""
    parts = [_SETS]
    for name, found in sets.items():
        parts += _parts(name, found, variants=variants)
    return Section(title="6. Relevance", parts=parts)


def _parts(name: str, found: Sequence[Judged], *, variants: int) -> list[str]:
    counted = [(each, each.score) for each in found if each.score is not None]
    overall = mean(score for _, score in counted)
    nothing = sum(each.found == 0 for each, _ in counted)
    rows = []
    for kind in sorted({each.query.kind for each, _ in counted}):
        scores = [score for each, score in counted if each.query.kind == kind]
        rows.append([kind, number(len(scores)), number(mean(scores), 3)])
    parts = [
        _summary(name, found, overall=overall, nothing=nothing, variants=variants),
        table(["words", "queries", "nDCG@10"], rows),
    ]
    if name == "blind":
        return parts
    worst = sorted(((score, each.query.text) for each, score in counted))[:10]
    return [*parts, "Worst: " + "; ".join(f"{text} ({number(score, 2)})" for score, text in worst)]


def _summary(name: str, found: Sequence[Judged], *, overall: float, nothing: int, variants: int) -> str:
    counted = sum(each.score is not None for each in found)
    return (
        f"Set `{name}`: nDCG@10 {number(overall, 3)} over {counted} judged queries and {number(variants)} variants "
        f"(aim {_AIM}: {verdict(overall, aim=_AIM)}); {nothing} of them ({number(100 * nothing / counted, 1)} %) found "
        f"nothing. {len(found) - counted} more ask for what this index does not hold."
    )
