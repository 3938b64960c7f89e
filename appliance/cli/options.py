"""The options of `gatehouse run`, made from the declarations of the settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from appliance.settings import Declaration, declarations


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose `**options` become one option for each setting, beside its own parameters."""
    own = inspect.signature(command, eval_str=True)
    kept = [parameter for parameter in own.parameters.values() if parameter.kind is not inspect.Parameter.VAR_KEYWORD]
    made = [_parameter(declared) for declared in declarations()]
    command.__signature__ = own.replace(parameters=[*kept, *made])  # type: ignore[attr-defined]  # typer reads it
    return command


def _parameter(declared: Declaration) -> inspect.Parameter:
    setting = declared.setting
    if declared.is_switch:
        help_text = f"{setting.help} [{declared.variable}]"
        option = typer.Option(declared.option, help=help_text, show_default=False)
        annotation: Any = Annotated[bool, option]
        default: Any = False
    else:
        help_text = f"{setting.help} Default: {setting.default}. [{declared.variable}]"
        option = typer.Option(declared.option, metavar=setting.metavar, help=help_text, show_default=False)
        value_type: Any = Path if setting.metavar in ("DIR", "FILE") else str
        annotation = Annotated[list[value_type] | None if declared.many else value_type | None, option]
        default = None
    return inspect.Parameter(
        declared.field_name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )
