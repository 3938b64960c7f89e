"""The settings of a running appliance, each declared once.

From a declaration come the option, the GATEHOUSE_* variable, the TOML key, the check of the value and the row of
README's table. `settings_sources` reads the sources; nothing here touches the machine beyond asking who the user is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from appliance import settings_values as values
from appliance.settings_values import HostPort, Network


class Setting(NamedTuple):
    """What a field of `Settings` says about itself, beside its type and default.

    parse: text to value, ValueError with a sentence. default: as README's table shows it.
    """

    parse: Callable[[str], Any]
    metavar: str
    default: str
    help: str
    in_file: bool = True


@dataclass(frozen=True, slots=True)
class Declaration:
    """One setting with its names. many: it is a list and may be given several times."""

    field_name: str
    setting: Setting
    many: bool

    @property
    def name(self) -> str:
        """The TOML key, and the option without its dashes: the field's name without its unit."""
        return self.field_name.removesuffix("_s").removesuffix("_bytes").replace("_", "-")

    @property
    def option(self) -> str:
        """--NAME"""
        return f"--{self.name}"

    @property
    def variable(self) -> str:
        """GATEHOUSE_NAME"""
        return "GATEHOUSE_" + self.name.upper().replace("-", "_")

    @property
    def is_switch(self) -> bool:
        """It is on or off, and its option takes no value."""
        return self.setting.parse is values.switch


def default_data_dir() -> Path:
    """/var/lib/gatehouse for root; a folder of the user's own for everybody else (XDG Base Directory: state)."""
    if os.geteuid() == 0:
        return Path("/var/lib/gatehouse")
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if state.startswith("/") else Path.home() / ".local" / "state") / "gatehouse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that `gatehouse run` can be told, checked. Fields end in their unit, options do not."""

    data_dir: Annotated[
        Path,
        Setting(
            values.path,
            "DIR",
            "/var/lib/gatehouse for root, else ~/.local/state/gatehouse",
            "Folder of the database, the appliance's own CA, kubeconfig and token; made with mode 0700.",
        ),
    ] = field(default_factory=default_data_dir)
    manifests: Annotated[
        tuple[Path, ...],
        Setting(
            values.path,
            "DIR",
            "none",
            "Folder of YAML files to keep applied, with its subfolders; may be given several times.",
        ),
    ] = ()
    api_bind: Annotated[
        HostPort,
        Setting(
            values.host_port,
            "ADDRESS:PORT",
            "127.0.0.1:6443",
            "Where the API listens (TLS only); port 0 lets the system choose.",
        ),
    ] = field(default=HostPort("127.0.0.1", 6443))
    metrics_bind: Annotated[
        HostPort | None,
        Setting(
            values.host_port,
            "ADDRESS:PORT",
            "not served",
            "Where /metrics, /livez and /readyz are also served in plain text.",
        ),
    ] = None
    address_pool: Annotated[
        tuple[Network, ...],
        Setting(
            values.network,
            "CIDR",
            "none: Gateways listen on all addresses",
            "Addresses of this machine to give out, one to each Gateway; may be given several times.",
        ),
    ] = ()
    trusted_proxies: Annotated[
        tuple[Network, ...],
        Setting(
            values.network,
            "CIDR",
            "none",
            "Peers whose X-Forwarded-* headers are believed; may be given several times.",
        ),
    ] = ()
    deny_backends: Annotated[
        tuple[Network, ...],
        Setting(
            values.network,
            "CIDR",
            "none",
            "Addresses never to connect to, besides link-local, multicast and the API; may be given several times.",
        ),
    ] = ()
    drain_timeout_s: Annotated[
        float,
        Setting(
            values.duration_s, "DURATION", "30s", "How long connections may go on after SIGTERM before they are closed."
        ),
    ] = 30.0
    access_log: Annotated[
        str,
        Setting(
            values.text,
            "FILE",
            "-",
            "Where the access log goes: a file, - for standard output, or off; SIGUSR1 reopens a file.",
        ),
    ] = "-"
    log_file: Annotated[
        str,
        Setting(
            values.text,
            "FILE",
            "-",
            "Where the appliance's own log goes: a file, or - for standard error; SIGUSR1 reopens a file.",
        ),
    ] = "-"
    log_level: Annotated[
        str,
        Setting(values.level, "LEVEL", "info", "The least important messages to log: debug, info, warning or error."),
    ] = "info"
    manifest_limit_bytes: Annotated[
        int, Setting(values.size_bytes, "SIZE", "4Mi", "The largest manifest file that is read.")
    ] = 4 * 1024**2
    serve_workloads: Annotated[
        bool,
        Setting(
            values.switch,
            "",
            "false",
            "Serve Pods, Deployments and ServiceAccounts, for another program to run: Gatehouse runs no workloads.",
        ),
    ] = False
    demo: Annotated[
        bool,
        Setting(
            values.switch,
            "",
            "false",
            "Show what it does: temporary data, an own echo backend, one route per protocol; Ctrl-C removes all.",
            in_file=False,
        ),
    ] = False
    demo_port: Annotated[
        int, Setting(values.port, "PORT", "8080", "The first of the four neighbouring ports that the demo listens on.")
    ] = 8080


def declarations() -> Iterator[Declaration]:
    """Every setting, in the order of README's table."""
    hints = get_type_hints(Settings, include_extras=True)
    for item in fields(Settings):
        value_type, setting = get_args(hints[item.name])
        yield Declaration(item.name, setting, many=get_origin(value_type) is tuple)


def markdown_table() -> str:
    """README's table of settings."""
    rows = ["| option | variable | TOML key | default | meaning |", "|---|---|---|---|---|"]
    for declared in declarations():
        setting = declared.setting
        option = f"{declared.option} {setting.metavar}".strip()
        key = f"`{declared.name}`" if setting.in_file else ""
        rows.append(f"| `{option}` | `{declared.variable}` | {key} | {setting.default} | {setting.help} |")
    return "\n".join(rows) + "\n"
