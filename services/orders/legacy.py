"""Which legacy files `orders` takes, and their addresses."""

from fastapi import APIRouter

from services.orders.agreements.actions import AgreementsInUse
from services.orders.agreements.jobs import AgreementImport, CodeSource, SupplierSource
from services.orders.price_history.actions import PriceHistoryInUse
from services.orders.price_history.jobs import PriceHistoryImport
from services.orders.settings import Settings
from shared.database import Database
from shared.importing.routes import import_router
from shared.importing.runner import ImportRunner

_ADDRESSES = {
    "agreements": ("/orders/agreement-imports", "framework agreements", AgreementsInUse),
    "prices": ("/orders/price-history-imports", "price history", PriceHistoryInUse),
}


def import_runner(
    settings: Settings, *, database: Database, suppliers: SupplierSource, catalog: CodeSource
) -> ImportRunner:
    """What works imports off, in the app and in the worker; both see the same folder."""
    return ImportRunner(
        database=database,
        folder=settings.data_dir / "imports",
        kinds=[
            AgreementImport(database=database, suppliers=suppliers, catalog=catalog),
            PriceHistoryImport(catalog=catalog),
        ],
    )


def import_routers(runner: ImportRunner) -> list[APIRouter]:
    """The routes of every kind of file."""
    return [
        import_router(prefix, tag=f"legacy {what}", kind=runner.kinds[name], what=what, in_use=in_use)
        for name, (prefix, what, in_use) in _ADDRESSES.items()
    ]
