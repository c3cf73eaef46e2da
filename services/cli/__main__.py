"""The command ``recount``. Each verb is one file in this folder with ``def register(app: typer.Typer) -> None``."""

import importlib
import os
import pkgutil
import sys
from typing import Annotated

import typer

import services.cli
from events import RecountError
from services.cli.console import show_error, show_unexpected
from services.version import recount_version

# Set it to see where an unexpected error came from.
TRACE_VARIABLE = "RECOUNT_TRACE"


def build_app() -> typer.Typer:
    """The application with every verb found in this folder."""
    app = typer.Typer(
        name="recount",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help="A self-hosted incident platform on an immutable event log.",
        epilog="Exit codes: 0 it holds, 1 refused or failed (the hint says what to do), 2 wrong usage.",
    )

    @app.callback()
    def recount(
        _version: Annotated[
            bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
        ] = False,
    ) -> None:
        pass

    for module in sorted(pkgutil.iter_modules(services.cli.__path__), key=lambda found: found.name):
        if not module.name.startswith("_"):
            verb = importlib.import_module(f"services.cli.{module.name}")
            if hasattr(verb, "register"):
                verb.register(app)
    return app


def main() -> None:
    """Run the command line: message, then hint; never a stack trace unless RECOUNT_TRACE is set."""
    try:
        build_app()()
    except RecountError as error:
        if os.environ.get(TRACE_VARIABLE):
            raise
        show_error(error)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of our output went away, such as `| head`; Python would complain again while flushing at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if os.environ.get(TRACE_VARIABLE):
            raise
        show_unexpected(error, TRACE_VARIABLE)
        sys.exit(1)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"recount {recount_version()}")
        raise typer.Exit


if __name__ == "__main__":
    main()
