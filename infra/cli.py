"""`dougong`: the tool of operators, suppliers and buyers."""

import typer

from infra.commands import (
    admissions,
    audit,
    blacklist,
    catalog,
    circles,
    data_out,
    joint,
    metrics,
    migration,
    onboarding,
    ordering,
    orders,
    people,
    reviewing,
    scores,
    setup,
    stages,
    status,
    suppliers,
    webhooks,
)
from infra.commands.console import EXIT_CODES

app = typer.Typer(
    name="dougong",
    help="Dougong, the open backend of a construction supply chain.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for part in (setup, people, ordering, status, data_out, migration, metrics):
    app.registered_commands += part.app.registered_commands
for part in (onboarding, reviewing):
    suppliers.app.registered_commands += part.app.registered_commands
app.add_typer(catalog.app, name="catalog")
app.add_typer(suppliers.app, name="suppliers")
app.add_typer(orders.app, name="orders")
app.add_typer(circles.app, name="circles")
app.add_typer(stages.app, name="stages")
app.add_typer(admissions.app, name="admissions")
app.add_typer(admissions.consents, name="consents")
app.add_typer(joint.app, name="joint")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(blacklist.app, name="blacklist")
app.add_typer(scores.app, name="scores")
app.add_typer(audit.app, name="audit")


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
