"""`dougong`: the tool of operators, suppliers and buyers."""

import typer

from infra.commands import audit, catalog, ordering, orders, people, setup, status, suppliers
from infra.commands.console import EXIT_CODES

app = typer.Typer(
    name="dougong",
    help="Dougong, the open backend of a construction supply chain.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for part in (setup, people, ordering, status):
    app.registered_commands += part.app.registered_commands
app.add_typer(catalog.app, name="catalog")
app.add_typer(suppliers.app, name="suppliers")
app.add_typer(orders.app, name="orders")
app.add_typer(audit.app, name="audit")


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
