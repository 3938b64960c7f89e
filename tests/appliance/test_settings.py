from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from appliance.settings import Settings, declarations, markdown_table
from appliance.settings_sources import SettingsError, load
from appliance.settings_values import HostPort


def config(folder: Path, text: str) -> Path:
    path = folder / "gatehouse.toml"
    path.write_text(text)
    return path


def test_defaults_are_those_of_the_class() -> None:
    assert load({}, {}, None) == Settings()


def test_the_command_line_wins_over_a_variable_that_wins_over_the_file(tmp_path: Path) -> None:
    file = config(tmp_path, 'drain-timeout = "1s"\napi-bind = "127.0.0.1:1"\nlog-level = "debug"\n')
    environment = {"GATEHOUSE_API_BIND": "127.0.0.1:2", "GATEHOUSE_LOG_LEVEL": "error"}
    settings = load({"log_level": "warning"}, environment, file)
    assert (settings.drain_timeout_s, settings.api_bind.port, settings.log_level) == (1.0, 2, "warning")


@pytest.mark.parametrize(
    ("options", "environment", "text"),
    [
        ({"address_pool": ["10.0.0.0/30", "fd00::/126"]}, {}, ""),
        ({}, {"GATEHOUSE_ADDRESS_POOL": "10.0.0.0/30, fd00::/126"}, ""),
        ({}, {}, 'address-pool = ["10.0.0.0/30", "fd00::/126"]'),
    ],
)
def test_a_list_reads_the_same_from_every_source(
    tmp_path: Path, options: Mapping[str, Any], environment: Mapping[str, str], text: str
) -> None:
    settings = load(options, environment, config(tmp_path, text))
    assert settings.address_pool == (ip_network("10.0.0.0/30"), ip_network("fd00::/126"))


def test_a_list_of_a_stronger_source_replaces_the_weaker_one(tmp_path: Path) -> None:
    file = config(tmp_path, 'manifests = ["/a"]')
    assert load({"manifests": ["/b"]}, {}, file).manifests == (Path("/b"),)


@pytest.mark.parametrize(
    ("field", "given", "value"),
    [
        ("api_bind", "[::1]:0", HostPort("::1", 0)),
        ("metrics_bind", "0.0.0.0:9100", HostPort("0.0.0.0", 9100)),
        ("drain_timeout_s", "500ms", 0.5),
        ("drain_timeout_s", "2m", 120.0),
        ("drain_timeout_s", "7", 7.0),
        ("manifest_limit_bytes", "64Ki", 65536),
        ("log_level", "DEBUG", "debug"),
    ],
)
def test_values(field: str, given: str, value: Any) -> None:
    assert getattr(load({field: given}, {}, None), field) == value


@pytest.mark.parametrize(
    ("options", "environment", "text", "words"),
    [
        ({"api_bind": "localhost:1"}, {}, "", ["option --api-bind", "localhost:1", "127.0.0.1:6443"]),
        ({"address_pool": ["10.0.0.1/24"]}, {}, "", ["--address-pool", "did you mean 10.0.0.0/24"]),
        ({}, {"GATEHOUSE_DRAIN_TIMEOUT": "soon"}, "", ["variable GATEHOUSE_DRAIN_TIMEOUT", "soon", "30s"]),
        ({}, {"GATEHOUSE_API_BNID": "x"}, "", ["unknown environment variable", "did you mean GATEHOUSE_API_BIND"]),
        ({}, {}, "data_dir = '/x'", ["unknown key", "gatehouse.toml", "did you mean data-dir"]),
        ({}, {}, "drain-timeout = [1]", ["key drain-timeout", "gatehouse.toml", "expected one value"]),
        ({}, {}, "demo = true", ["unknown key", "demo"]),
        ({}, {}, "manifests = 3", ["key manifests", "expected a list"]),
        ({}, {}, "= 1", ["is not TOML", "line 1"]),
        ({"demo_port": "70000"}, {}, "", ["--demo-port", "1 to 65535"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_source_and_the_way_out(
    tmp_path: Path, options: Mapping[str, Any], environment: Mapping[str, str], text: str, words: list[str]
) -> None:
    with pytest.raises(SettingsError) as raised:
        load(options, environment, config(tmp_path, text))
    for word in words:
        assert word in str(raised.value)


def test_a_settings_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot be read: No such file.*correct --config"):
        load({}, {"GATEHOUSE_CONFIG": str(tmp_path / "none.toml")}, None)


def test_every_setting_stands_in_the_table_with_its_three_names() -> None:
    table = markdown_table()
    for declared in declarations():
        assert declared.option in table
        assert declared.variable in table
        assert declared.setting.help
