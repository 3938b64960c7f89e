"""What a Pod's programs see: environment, arguments and files. Pure: a Pod and the objects that it names come in."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


class MissingError(Exception):
    """An object or a key that the Pod needs does not exist (yet)."""


@dataclass(frozen=True, slots=True)
class Sources:
    """ConfigMaps and Secrets of the Pod's namespace, by name."""

    config_maps: Mapping[str, Json]
    secrets: Mapping[str, Json]


def needs(pod: Json) -> Iterator[tuple[str, str]]:
    """(plural, name) of the objects that its volumes take files from."""
    for volume in pod["spec"].get("volumes") or ():
        if "secret" in volume:
            yield "secrets", volume["secret"]["secretName"]
        elif "configMap" in volume:
            yield "configmaps", volume["configMap"]["name"]


def environment(pod: Json, container: Json, pod_ip: str) -> dict[str, str]:
    """Values and references to the Pod's own fields."""
    found: dict[str, str] = {}
    for variable in container.get("env") or ():
        source = (variable.get("valueFrom") or {}).get("fieldRef")
        found[variable["name"]] = _field(pod, source["fieldPath"], pod_ip) if source else variable.get("value", "")
    return found


def _field(pod: Json, path: str, pod_ip: str) -> str:
    metadata = pod["metadata"]
    known = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "status.podIP": pod_ip,
    }
    if path not in known:
        raise MissingError(f"fieldPath {path} is not known here")
    return str(known[path])


def files(pod: Json, container: Json, sources: Sources) -> dict[str, bytes]:
    """Path -> content of everything that volumes mount into the container. Raises MissingError."""
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    found: dict[str, bytes] = {}
    for mount in container.get("volumeMounts") or ():
        for name, content in _content(volumes[mount["name"]], sources).items():
            found[f"{mount['mountPath'].rstrip('/')}/{name}"] = content
    return found


def _content(volume: Json, sources: Sources) -> dict[str, bytes]:
    if "secret" in volume:
        source = volume["secret"]
        body = sources.secrets.get(source["secretName"])
        data = {key: base64.b64decode(text) for key, text in ((body or {}).get("data") or {}).items()}
    elif "configMap" in volume:
        source = volume["configMap"]
        body = sources.config_maps.get(source["name"])
        data = {key: str(text).encode() for key, text in ((body or {}).get("data") or {}).items()}
    else:
        return {}  # emptyDir and the like: nothing in it
    if body is None and not source.get("optional"):
        raise MissingError(f"volume {volume['name']}: its source does not exist")
    if not source.get("items"):
        return data
    missing = [item["key"] for item in source["items"] if item["key"] not in data]
    if missing:
        raise MissingError(f"volume {volume['name']}: no key {', '.join(missing)}")
    return {item["path"]: data[item["key"]] for item in source["items"]}
