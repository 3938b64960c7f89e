"""Settings gathered from the command line, the environment and a TOML file.

Raw values by source come in; `Settings` go out, or SettingsError naming the setting, its source and the way out.
The command line wins over variables, variables over the file, the file over defaults; a list is replaced, not joined.
In a variable the entries of a list are separated by commas.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from appliance.settings import Declaration, Settings, declarations

CONFIG_VARIABLE = "GATEHOUSE_CONFIG"
_CONFIG_LIMIT_BYTES = 1024**2


class SettingsError(Exception):
    """A setting that is unknown or wrong; the text says which, where it was given, and what would be right."""


def load(
    options: Mapping[str, str | bool | Sequence[str] | None],
    environment: Mapping[str, str],
    config: Path | None,
) -> Settings:
    """The settings in force.

    options: by field name, None where not given. config: the file named by --config; else GATEHOUSE_CONFIG may name
    one. Raises SettingsError.
    """
    known = list(declarations())
    _refuse_unknown(
        (name for name in environment if name.startswith("GATEHOUSE_") and name != CONFIG_VARIABLE),
        [*(declared.variable for declared in known), CONFIG_VARIABLE],
        "environment variable",
    )
    if config is None and (named := environment.get(CONFIG_VARIABLE)):
        config = Path(named)
    from_file = _read_file(config, known) if config is not None else {}
    chosen: dict[str, Any] = {}
    for declared in known:
        given = options.get(declared.field_name)
        if given is not None and given != [] and given is not False:
            source, raw = f"option {declared.option}", given
        elif (variable := environment.get(declared.variable)) is not None:
            source, raw = f"environment variable {declared.variable}", _listed(variable) if declared.many else variable
        elif declared.name in from_file:
            source, raw = f"key {declared.name} of {config}", from_file[declared.name]
        else:
            continue
        chosen[declared.field_name] = _parse(declared, raw, source)
    return Settings(**chosen)


def _listed(value: str) -> list[str]:
    return [entry.strip() for entry in value.split(",") if entry.strip()]


def _parse(declared: Declaration, raw: Any, source: str) -> Any:
    if declared.many:
        entries = [raw] if isinstance(raw, str) else raw
        if not isinstance(entries, Sequence):
            raise SettingsError(f"{source}: {raw!r} is not usable: expected a list of texts")
        return tuple(_parse_one(declared, entry, source) for entry in entries)
    return _parse_one(declared, raw, source)


def _parse_one(declared: Declaration, raw: Any, source: str) -> Any:
    if isinstance(raw, bool):
        raw = "true" if raw else "false"
    if isinstance(raw, (int, float)):
        raw = str(raw)
    if not isinstance(raw, str):
        raise SettingsError(f"{source}: {raw!r} is not usable: expected one value, not {type(raw).__name__}")
    try:
        return declared.setting.parse(raw)
    except ValueError as error:
        raise SettingsError(f"{source}: {raw!r} is not usable: {error}") from None


def _read_file(path: Path, known: Sequence[Declaration]) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            data = stream.read(_CONFIG_LIMIT_BYTES + 1)
    except OSError as error:
        raise SettingsError(
            f"settings file {path} cannot be read: {os.strerror(error.errno or 0)}; correct --config or "
            f"{CONFIG_VARIABLE}, or leave it out"
        ) from None
    if len(data) > _CONFIG_LIMIT_BYTES:
        raise SettingsError(f"settings file {path} is larger than {_CONFIG_LIMIT_BYTES} bytes; is it the right file?")
    try:
        content = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {path} is not TOML: {error}") from None
    _refuse_unknown(content, [declared.name for declared in known if declared.setting.in_file], f"key in {path}:")
    return content


def _refuse_unknown(names: Iterable[str], known: Sequence[str], what: str) -> None:
    for name in sorted(names):
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
            raise SettingsError(f"unknown {what} {name}; did you mean {nearest}? The settings are: {', '.join(known)}")
