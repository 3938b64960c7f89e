"""CustomResourceDefinitions: objects that are stored like others, and decide which kinds are served.

Built-in kinds have their definition as an object from the first start, owned by nobody; whatever is written over it,
the compiled built-in validation stays. Other definitions are installed into the registry when the log shows them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from store.errors import StatusError
from store.kinds.definitions import crd_from_kind, kind_from_crd
from store.kinds.kind import Kind
from store.kinds.registry import Registry
from store.log.contract import Change
from store.refusals import invalid

logger = logging.getLogger(__name__)

Object = dict[str, Any]

RESOURCE = "customresourcedefinitions.apiextensions.k8s.io"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
# Kinds of these groups are part of Kubernetes itself and have no definition.
NATIVE_GROUPS = frozenset(
    {
        "",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apps",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "rbac.authorization.k8s.io",
    }
)


class Definitions:
    """Keeps the registry in step with the stored definitions. ended: told the resource that is served no more."""

    def __init__(self, registry: Registry, ended: Callable[[str], None]) -> None:
        self._registry = registry
        self._ended = ended
        self._built_in = {kind.resource: kind for kind in registry.kinds() if kind.group not in NATIVE_GROUPS}

    def built_in(self, now: str) -> dict[str, Object]:
        """The definitions of the built-in kinds as they are stored at first, by name."""
        found = {}
        for name, kind in self._built_in.items():
            obj = crd_from_kind(kind)
            obj["metadata"].pop("managedFields", None)
            obj["metadata"]["finalizers"] = [CLEANUP]
            _set_status(obj, None, [], now)
            found[name] = obj
        return found

    def settle(self, obj: Object, old: Object | None, now: str) -> None:
        """Complete a definition that is about to be stored: finalizer and status. Raises StatusError 422."""
        spec, metadata = obj["spec"], obj["metadata"]
        name = f"{spec['names']['plural']}.{spec['group']}"
        finalizers = metadata.get("finalizers") or []
        if CLEANUP not in finalizers and "deletionTimestamp" not in metadata:
            metadata["finalizers"] = [*finalizers, CLEANUP]
        if metadata["name"] in self._built_in:
            _set_status(obj, old, [], now)
            return
        kind = kind_from_crd(obj)
        if name != metadata["name"]:
            raise invalid("CustomResourceDefinition", "apiextensions.k8s.io", metadata["name"], ())
        _set_status(obj, old, self._clashes(kind), now)

    def observe(self, changes: Sequence[Change]) -> None:
        """Follow what the log shows."""
        for change in changes:
            if change.key.resource == RESOURCE:
                self.load(change.key.name, change.value)

    def load(self, name: str, value: bytes | None) -> None:
        """Serve a definition as it now is, or (None) no more."""
        if name in self._built_in:
            return
        plural, _, group = name.partition(".")
        if value is None:
            if self._registry.find(group, plural) is not None:
                self._registry.remove(group, plural)
                self._ended(name)
            return
        obj = orjson.loads(value)
        if not _is_established(obj):
            return
        try:
            self._registry.install(kind_from_crd(obj))
        except StatusError as error:
            # Written by a version that knew it; the object stays, the kind is not served until it is put right.
            logger.error("the definition %s cannot be served: %s", name, error)

    def _clashes(self, kind: Kind) -> list[tuple[str, str]]:
        """Why the names cannot be accepted: (reason, message)."""
        return [
            ("KindConflict", f'"{kind.name}" is already in use')
            for other in self._registry.kinds()
            if other.group == kind.group and other.plural != kind.plural and other.name == kind.name
        ]


def _set_status(obj: Object, old: Object | None, clashes: Sequence[tuple[str, str]], now: str) -> None:
    spec = obj["spec"]
    before = (old or {}).get("status") or {}
    names = spec["names"]
    accepted = {"listKind": f"{names['kind']}List", "singular": names["kind"].lower(), **names}
    if clashes:
        reason, message = clashes[0]
        conditions = [
            _condition(before, "NamesAccepted", "False", reason, message, now),
            _condition(before, "Established", "False", "NotAccepted", "not all names are accepted", now),
        ]
        accepted = before.get("acceptedNames") or {"kind": "", "plural": ""}
    else:
        conditions = [
            _condition(before, "NamesAccepted", "True", "NoConflicts", "no conflicts found", now),
            _condition(
                before, "Established", "True", "InitialNamesAccepted", "the initial names have been accepted", now
            ),
        ]
    ours = {condition["type"] for condition in conditions}
    others = [condition for condition in before.get("conditions") or () if condition["type"] not in ours]
    if "deletionTimestamp" in obj["metadata"] and not any(c["type"] == "Terminating" for c in others):
        message = "CustomResource deletion is in progress"
        others.append(_condition(before, "Terminating", "True", "InstanceDeletionInProgress", message, now))
    storage = [version["name"] for version in spec["versions"] if version.get("storage")]
    stored = list(dict.fromkeys([*(before.get("storedVersions") or ()), *storage]))
    obj["status"] = {"conditions": [*conditions, *others], "acceptedNames": accepted, "storedVersions": stored}


def _condition(before: Object, type_: str, status: str, reason: str, message: str, now: str) -> Object:
    """A condition whose transition time moves only with its status."""
    for condition in before.get("conditions") or ():
        if condition["type"] == type_ and condition["status"] == status:
            now = condition.get("lastTransitionTime", now)
    return {"type": type_, "status": status, "lastTransitionTime": now, "reason": reason, "message": message}


def _is_established(obj: Object) -> bool:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)
