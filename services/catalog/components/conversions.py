"""Converting a quantity of a variant, whether or not anybody has used the variant."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.components import queries
from services.catalog.components.rules import Fault, canonical_number, identity_of, parsed_key, variant_key
from services.catalog.components.schemas import Conversion, ConvertRequest
from services.catalog.components.variant_actions import UnknownType, refused
from services.catalog.units import queries as unit_queries
from services.catalog.units import rules as unit_rules
from services.catalog.units.rules import Factors, NotConvertibleError, TooPreciseError
from shared.errors import Conflict, FieldError, Unprocessable


class UnknownUnit(Unprocessable):
    """The text names no unit; GET /catalog/units lists them."""


class UnitNotConvertible(Conflict):
    """The units are of different dimensions, or only the supplier knows what one of them holds."""


class QuantityTooPrecise(Unprocessable):
    """The quantity has more decimal places than its unit is counted in."""


CONVERSION_REFUSALS = (UnknownUnit, UnitNotConvertible, QuantityTooPrecise)


async def converted(session: AsyncSession, *, asked: ConvertRequest) -> Conversion:
    """The conversion asked for.

    Raises:
        UnknownType … ValueOutOfRange: the key names no possible variant.
        UnknownUnit, UnitNotConvertible, QuantityTooPrecise: see the classes.
    """
    parts = parsed_key(asked.variant)
    if isinstance(parts, Fault):
        raise refused([parts])
    definition = (await queries.definitions(session, codes=[parts[0]])).get(parts[0])
    if definition is None:
        raise UnknownType(f"No component type has the code {parts[0][:60]!r}.")
    values, faults = identity_of(definition, parts[1], where="variant")
    if faults:
        raise refused(faults)
    units = await unit_queries.all_units(session)
    factors = unit_rules.factors_of(
        base=definition.base_unit,
        alternatives=definition.alternatives,
        measures=definition.measures(values),
        tables=definition.tables,
    )
    try:
        source = _likeliest(unit_rules.unit_named(asked.source, units=units), factors)
        target = _likeliest(unit_rules.unit_named(asked.target, units=units), factors)
        done = unit_rules.convert(
            quantity=asked.quantity,
            source=source,
            target=target,
            factors=factors,
            base=definition.base_unit,
            units=units,
        )
    except unit_rules.UnknownUnitError as problem:
        raise UnknownUnit(str(problem)) from problem
    except NotConvertibleError as problem:
        raise UnitNotConvertible(str(problem)) from problem
    except TooPreciseError as problem:
        error = FieldError(field="quantity", rule="QuantityTooPrecise", message=str(problem))
        raise QuantityTooPrecise(str(problem), errors=[error]) from problem
    return Conversion(
        variant=variant_key(definition.code, values),
        quantity=done.quantity,
        unit=target,
        exact=done.exact,
        base_quantity=done.base_quantity,
        base_unit=definition.base_unit,
        factors={unit: canonical_number(factors.base_per_unit[unit]) for unit in {source, target}},
        not_convertible=dict(factors.not_convertible),
    )


def _likeliest(candidates: tuple[str, ...], factors: Factors) -> str:
    """片 is a sheet where sheets are counted, else a piece."""
    return next((unit for unit in candidates if unit in factors.base_per_unit), candidates[0])
