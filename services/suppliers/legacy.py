"""Which legacy files `suppliers` takes, and their addresses."""

from fastapi import APIRouter

from services.suppliers.judgement_imports.actions import JudgementsInUse
from services.suppliers.judgement_imports.jobs import JudgementImport
from services.suppliers.judgement_imports.rules import BLACKLIST, EVALUATION
from services.suppliers.settings import Settings
from services.suppliers.supplier_imports.actions import SupplierImportInUse
from services.suppliers.supplier_imports.jobs import CompanyIntake, SupplierImport
from shared.database import Database
from shared.importing.routes import import_router
from shared.importing.runner import ImportRunner

_ADDRESSES = {
    "suppliers": ("/suppliers/supplier-imports", "suppliers", SupplierImportInUse),
    "evaluations": ("/suppliers/evaluation-imports", "evaluations", JudgementsInUse),
    "blacklist": ("/suppliers/blacklist-imports", "blacklist entries", JudgementsInUse),
}


def import_runner(settings: Settings, *, database: Database, members: CompanyIntake) -> ImportRunner:
    """What works imports off, in the app and in the worker; both see the same folder."""
    return ImportRunner(
        database=database,
        folder=settings.data_dir / "imports",
        kinds=[
            SupplierImport(database=database, members=members),
            JudgementImport(EVALUATION, database=database),
            JudgementImport(BLACKLIST, database=database),
        ],
    )


def import_routers(runner: ImportRunner) -> list[APIRouter]:
    """The routes of every kind of file."""
    return [
        import_router(prefix, tag=f"legacy {what}", kind=runner.kinds[name], what=what, in_use=in_use)
        for name, (prefix, what, in_use) in _ADDRESSES.items()
    ]
