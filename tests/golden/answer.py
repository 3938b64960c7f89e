"""The text of a golden answer: statuses and snapshot, for people to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from appliance.gatewayapi.drafts import Status
from appliance.gatewayapi.resources import Key
from proxy.snapshot.encoding import plain
from proxy.snapshot.model import Snapshot


def render(snapshot: Snapshot, statuses: Mapping[Key, Status]) -> str:
    """YAML. Conditions in one line each; the features of a class only by whether it has them; fields of the snapshot
    that have their default are left out."""
    answer = {
        "statuses": {str(key): _status(statuses[key].body) for key in sorted(statuses) if statuses[key].body},
        "snapshot": _short(plain(snapshot)),
    }
    return yaml.safe_dump(answer, sort_keys=False, width=1000, allow_unicode=True)


def _status(value: Any) -> Any:
    if isinstance(value, Mapping):
        if "observedGeneration" in value:
            line = f"{value['type']}={value['status']} {value['reason']} (generation {value['observedGeneration']})"
            return f"{line}: {value['message']}" if value["message"] else line
        shown = {key: _status(item) for key, item in value.items()}
        if "supportedFeatures" in shown:
            shown["supportedFeatures"] = "those of every class" if value["supportedFeatures"] else "none"
        return _line(shown)
    if isinstance(value, list):
        return [_status(item) for item in value]
    return value


def _line(value: dict[str, Any]) -> Any:
    """Small mappings of plain values in one line."""
    if value and all(isinstance(item, str | int) for item in value.values()) and set(value) != {"conditions"}:
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return value


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("is") == "BindKey":
            return f"{value['address'] or 'all'}:{value['port']}/{value['transport']}"
        if value.get("is") == "Endpoint":
            return f"{value['kind']} {value['host']}:{value['port']} weight {value['weight']}"
        if value.get("is") == "Refusal":
            return f"refused {value['status']} {value['reason']}"
        if value.get("is") == "Bundle":
            return f"certificate for {', '.join(value['names'])} ({value['fingerprint'][:12]})"
        if value.get("is") == "Trust":
            return f"trust {value['fingerprint'][:12]}"
        kept = {key: _short(item) for key, item in value.items() if item not in ([], None, 5.0) and item is not False}
        named = kept.pop("is", "")
        return {"is": named, **kept} if named.endswith(("Listener", "Modifier", "Redirect", "Rewrite")) else kept
    if isinstance(value, list):
        return [_short(item) for item in value]
    return value
