"""Environment and files of Pods."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.conformance.workloads.pod_files import MissingError, Sources, environment, files, needs

Json = dict[str, Any]
SECRET = {"data": {"tls.crt": base64.b64encode(b"pem").decode(), "tls.key": base64.b64encode(b"key").decode()}}
SOURCES = Sources({"settings": {"data": {"a": "1"}}}, {"tls": SECRET})


def pod(*volumes: Json, **container: Any) -> Json:
    mounts = [{"name": volume["name"], "mountPath": f"/mnt/{volume['name']}/"} for volume in volumes]
    body = {"name": "web", "image": "a", "volumeMounts": mounts} | container
    return {
        "metadata": {"name": "web-1", "namespace": "default", "uid": "u"},
        "spec": {"containers": [body], "volumes": list(volumes)},
    }


def found(given: Json) -> dict[str, bytes]:
    return files(given, given["spec"]["containers"][0], SOURCES)


def test_environment() -> None:
    env = [
        {"name": "PORT", "value": "1"},
        {"name": "EMPTY"},
        {"name": "WHO", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
    ]
    given = pod(env=env)
    expected = {"PORT": "1", "EMPTY": "", "WHO": "web-1", "IP": "10.0.0.1"}
    assert environment(given, given["spec"]["containers"][0], "10.0.0.1") == expected


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        ({"secret": {"secretName": "tls"}}, {"/mnt/v/tls.crt": b"pem", "/mnt/v/tls.key": b"key"}),
        ({"secret": {"secretName": "tls", "items": [{"key": "tls.crt", "path": "crt"}]}}, {"/mnt/v/crt": b"pem"}),
        ({"configMap": {"name": "settings"}}, {"/mnt/v/a": b"1"}),
        ({"configMap": {"name": "missing", "optional": True}}, {}),
        ({"emptyDir": {}}, {}),
    ],
)
def test_volumes(volume: Json, expected: dict[str, bytes]) -> None:
    assert found(pod({"name": "v", **volume})) == expected


@pytest.mark.parametrize(
    "volume",
    [
        {"secret": {"secretName": "missing"}},
        {"secret": {"secretName": "tls", "items": [{"key": "ca.crt", "path": "ca"}]}},
    ],
)
def test_what_is_missing_is_waited_for(volume: Json) -> None:
    with pytest.raises(MissingError):
        found(pod({"name": "v", **volume}))


def test_needs() -> None:
    given = pod({"name": "a", "secret": {"secretName": "tls"}}, {"name": "b", "configMap": {"name": "settings"}})
    assert list(needs(given)) == [("secrets", "tls"), ("configmaps", "settings")]
