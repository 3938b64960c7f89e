"""`gatehouse`: the commands and their exit codes.

0: done as asked. 1: it cannot be done, or `check` found errors; a line says why. 2: the command line is not understood.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from appliance.cli.options import with_settings
from appliance.problems import StartError
from appliance.settings_sources import SettingsError, load

app = typer.Typer(
    name="gatehouse",
    help="The Kubernetes Gateway API on plain machines: store, controller and proxy in one process.",
    epilog="Exit codes: 0 done as asked; 1 it cannot be done, or check found errors; 2 the command line is wrong.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Output = Annotated[Literal["text", "json"], typer.Option("--output", "-o", help="How to print.")]


@app.command("run")
@with_settings
def run_command(
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="TOML file of settings. [GATEHOUSE_CONFIG]")
    ] = None,
    **options: Any,
) -> None:
    """Run the appliance until SIGTERM or Ctrl-C.

    Every option can also be an environment variable (named in brackets) or a key of the TOML file; the command line
    wins over variables, variables over the file.
    """
    given = {name: _texts(value) for name, value in options.items()}
    settings = load(given, os.environ, config)
    if settings.demo:
        from appliance.demo.show import run_demo

        raise typer.Exit(run_demo(settings, explicit_data_dir=given.get("data_dir") is not None))
    from appliance.compose import run

    raise typer.Exit(run(settings))


@app.command("check")
def check_command(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE|DIR...", help="YAML files, or folders of them.")],
    output: Output = "text",
) -> None:
    """Check files without a running appliance.

    Schema, references among the given files, and what each route would attach to and why not.
    """
    from appliance.cli.check import check
    from appliance.cli.printing import print_findings

    findings = check(paths)
    print_findings(findings, output, Console())
    raise typer.Exit(1 if findings.errors else 0)


@app.command("status")
def status_command(
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", metavar="DIR", help="Data folder of the running appliance.")
    ] = None,
    output: Output = "text",
) -> None:
    """Show gateways, listeners, addresses, routes, backends and files, and the reasons of whatever is not right."""
    from appliance.cli.printing import print_status
    from appliance.cli.status import fetch

    settings = load({"data_dir": _texts(data_dir)}, os.environ, None)
    print_status(fetch(settings.data_dir), output, Console())


@app.command("version")
def version_command() -> None:
    """Print the version."""
    try:
        version = importlib.metadata.version("gatehouse")
    except importlib.metadata.PackageNotFoundError:
        version = "of a source tree, not installed"
    typer.echo(f"gatehouse {version}")


def main() -> None:
    """The program."""
    try:
        app()
    except (SettingsError, StartError) as error:
        typer.echo(f"gatehouse: {error}", err=True)
        sys.exit(1)


def _texts(value: Any) -> Any:
    """Paths as texts: settings parse their own values."""
    if isinstance(value, list):
        return [str(item) for item in value]
    return str(value) if isinstance(value, Path) else value
