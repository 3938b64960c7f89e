"""Strategies: the few things that single kinds do beyond their schema, before they are stored. Pure.

Each kind's part is one function below, found by its resource.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from store.errors import Cause
from store.kinds import key_pairs
from store.kinds.admission import NOT_ENFORCED
from store.kinds.definitions import unevaluated_rules
from store.kinds.kind import Kind
from store.objects.lifecycle import NAMESPACE_CONTENT

Object = dict[str, Any]
POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io"
SLICES = "endpointslices.discovery.k8s.io"
IMMUTABLE_FIELD = "field is immutable when `immutable` is set"


def prepare_create(kind: Kind, obj: Object) -> None:
    """What the kind changes of a new object, as if the writer had sent it so."""
    if kind.resource == "namespaces":
        _name_label(obj)
    elif kind.resource == "secrets":
        _encode_string_data(obj)


def complete_create(kind: Kind, obj: Object) -> None:
    """What the kind itself adds to a new object, and no writer owns."""
    if kind.resource == "namespaces":
        _open_namespace(obj)
    elif kind.resource == "services":
        obj["status"] = {"loadBalancer": {}}
    elif kind.resource == POLICIES:
        obj["status"] = {}


def prepare_update(kind: Kind, subresource: str, obj: Object, old: Object) -> None:
    """The same for a changed object."""
    if kind.resource == "secrets":
        _encode_string_data(obj)
        if "type" in old:
            obj.setdefault("type", old["type"])
    elif kind.resource == "namespaces" and subresource != "finalize":
        _name_label(obj)
        # Only the finalize subresource changes these.
        obj["spec"] = {**(obj.get("spec") or {}), "finalizers": (old.get("spec") or {}).get("finalizers") or []}


def faults(kind: Kind, obj: Object, old: Object | None) -> list[Cause]:
    """What the kind refuses beyond its schema."""
    check = _FAULTS.get(kind.resource)
    return check(obj, old) if check is not None and old is not None else []


def counts_labels(kind: Kind) -> bool:
    """Whether a change of labels alone is a new generation: by its labels an EndpointSlice belongs to a Service."""
    return kind.resource == SLICES


def advice(kind: Kind, obj: Object, old: Object | None) -> Iterable[str]:
    """What is to be said about an object that is accepted: warnings."""
    advise = _ADVICE.get(kind.resource)
    return advise(obj, old) if advise is not None else ()


def _open_namespace(obj: Object) -> None:
    spec = obj.setdefault("spec", {}) or {}
    finalizers = [name for name in spec.get("finalizers") or () if name != NAMESPACE_CONTENT]
    obj["spec"] = {**spec, "finalizers": [*finalizers, NAMESPACE_CONTENT]}
    obj["status"] = {"phase": "Active"}


def _name_label(obj: Object) -> None:
    metadata = obj["metadata"]
    labels = metadata.get("labels") or {}
    if isinstance(labels, Mapping):  # else the schema refuses them
        metadata["labels"] = {**labels, "kubernetes.io/metadata.name": metadata.get("name", "")}


def _encode_string_data(obj: Object) -> None:
    """Secret.stringData is write-only: it ends up in data. What is of a wrong type is left for the schema."""
    texts, data = obj.get("stringData"), obj.get("data") or {}
    if not isinstance(data, Mapping):
        return
    if texts is not None and not (isinstance(texts, Mapping) and all(isinstance(one, str) for one in texts.values())):
        return
    obj.pop("stringData", None)
    if texts:
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
        obj["data"] = {**data, **encoded}


def _changed(obj: Object, old: Object, name: str, message: str) -> list[Cause]:
    if obj.get(name) == old.get(name):
        return []
    return [Cause("FieldValueForbidden", f"Forbidden: {message}", name)]


def _config_map_faults(obj: Object, old: Object | None) -> list[Cause]:
    if old is None or not old.get("immutable"):
        return []
    causes = [] if obj.get("immutable") else _changed(obj, old, "immutable", IMMUTABLE_FIELD)
    for name in ("data", "binaryData"):
        causes += _changed(obj, old, name, IMMUTABLE_FIELD)
    return causes


def _secret_faults(obj: Object, old: Object | None) -> list[Cause]:
    causes = _config_map_faults(obj, old)
    return causes + _kept(obj, old, "type")


def _endpoint_slice_faults(obj: Object, old: Object | None) -> list[Cause]:
    return _kept(obj, old, "addressType")


def _kept(obj: Object, old: Object | None, name: str) -> list[Cause]:
    if old is None or obj.get(name) == old.get(name):
        return []
    return [Cause("FieldValueInvalid", f'Invalid value: "{obj.get(name, "")}": field is immutable', name)]


def _key_pair_advice(obj: Object, old: Object | None) -> Iterable[str]:
    """A key pair that cannot be used is stored all the same: it may be half of a change."""
    data = obj.get("data") or {}
    if obj.get("type") == "kubernetes.io/tls" and (old is None or data != (old.get("data") or {})):
        return key_pairs.doubts(*(base64.b64decode(data.get(name) or "") for name in ("tls.crt", "tls.key")))
    return ()


def _policy_advice(obj: Object, _: Object | None) -> Iterable[str]:
    return (NOT_ENFORCED.format(kind=obj["kind"]),)


def _definition_advice(obj: Object, old: Object | None) -> Iterable[str]:
    if old is not None and old.get("spec") == obj.get("spec"):
        return ()
    rules = unevaluated_rules(obj)
    shown = ", ".join(rules[:_RULES_SHOWN]) + (", ..." if len(rules) > _RULES_SHOWN else "")
    return (NOT_EVALUATED.format(rules=shown, count=len(rules)),) if rules else ()


_RULES_SHOWN = 3
NOT_EVALUATED = "x-kubernetes-validations are stored but not evaluated yet ({count}): {rules}"

_ADVICE: Mapping[str, Callable[[Object, Object | None], Iterable[str]]] = {
    "secrets": _key_pair_advice,
    "customresourcedefinitions.apiextensions.k8s.io": _definition_advice,
    POLICIES: _policy_advice,
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": _policy_advice,
}

_FAULTS: Mapping[str, Callable[[Object, Object | None], list[Cause]]] = {
    "configmaps": _config_map_faults,
    "secrets": _secret_faults,
    SLICES: _endpoint_slice_faults,
}
