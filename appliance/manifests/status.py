"""ManifestFile objects: what became of each file, for people and programs.

The state of files comes in; objects of gatehouse.dev/v1alpha1 go out through the store's verbs, where they changed.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from appliance.manifests.claims import File
from appliance.manifests.reader import Problem
from appliance.manifests.targets import target_of
from store.errors import StatusError
from store.kinds.registry import Registry
from store.log.contract import Key
from store.service import Service
from store.verbs import Collection, DeleteOptions, ListOptions, Patch, Target, WriteOptions

_LOG = logging.getLogger(__name__)
_MANAGER = "gatehouse"
# Annotation of a ManifestFile: the objects that were there before the file, as [resource, namespace, name].
ADOPTED = "gatehouse.dev/adopted"
PROBLEMS_LIMIT = 50
OBJECTS_LIMIT = 5000
_MESSAGE_LIMIT = 1024


def name_of(path: str) -> str:
    """The name of a file's ManifestFile: readable, unique, and a DNS subdomain (RFC 1123)."""
    slug = re.sub(r"[^a-z0-9.-]+", "-", path.lower())
    slug = re.sub(r"-*\.[.-]*", ".", slug).strip("-.")[-200:].strip("-.")
    return f"{slug or 'file'}-{hashlib.sha256(path.encode()).hexdigest()[:8]}"


def text(path: str, problem: Problem) -> str:
    """FILE:LINE:COLUMN: OBJECT FIELD: MESSAGE. REMEDY"""
    place = f"{path}:{problem.line}:{problem.column}" if problem.line else path
    subject = " ".join(part for part in (problem.object, problem.field) if part)
    return f"{place}: {subject + ': ' if subject else ''}{problem.message.rstrip('.')}. {problem.remedy}"


def status_of(file: File, registry: Registry) -> dict[str, Any]:
    """The status of a file, without times."""
    problems = file.all_problems()
    applied = sum(1 for claim in file.claims.values() if claim.owned is not None and not claim.problems)
    condition: dict[str, Any] = {
        "type": "Ready",
        "status": "False" if problems else "True",
        "reason": _reason(file, problems),
        "message": f"{applied} object{'' if applied == 1 else 's'} applied",
    }
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        placed = {name: value for name, value in _body(file.path, problems[0]).items() if name != "message"}
        condition |= placed | {"message": text(file.path, problems[0])[:_MESSAGE_LIMIT] + more}
    return {
        "objects": _objects(file, registry),
        "observedHash": file.digest,
        "conditions": [condition],
        "problems": [_body(file.path, problem) for problem in problems[:PROBLEMS_LIMIT]],
    }


def _body(path: str, problem: Problem) -> dict[str, Any]:
    values = {
        "file": path,
        "line": problem.line,
        "column": problem.column,
        "object": problem.object,
        "field": problem.field,
        "message": problem.message,
        "remedy": problem.remedy,
    }
    return {name: value for name, value in values.items() if value}


def _objects(file: File, registry: Registry) -> list[dict[str, str]]:
    """What the file holds, in the version that it names it in."""
    found = []
    for key in sorted(file.held)[:OBJECTS_LIMIT]:
        if (claim := file.claims.get(key)) is not None:
            version, kind = claim.document.value["apiVersion"], claim.document.value["kind"]
        elif (target := target_of(registry, key)) is not None:
            version, kind = target.kind.api_version(target.version), target.kind.name
        else:
            continue
        described = {"apiVersion": version, "kind": kind, "name": key.name}
        found.append(described | ({"namespace": key.namespace} if key.namespace else {}))
    return found


def _reason(file: File, problems: list[Problem]) -> str:
    if not problems:
        return "Applied"
    if file.problems:
        return "Invalid" if file.claims else "Unreadable"
    refusals = [claim for claim in file.claims.values() if claim.problems]
    if not refusals:
        return "Overridden"
    if any(claim.refused == 409 for claim in refusals):
        return "Conflict"
    return "Waiting" if all(claim.refused in (403, 404, 429, 500, 503, 504, 507) for claim in refusals) else "Invalid"


class StatusWriter:
    """Keeps one ManifestFile for each file. now: the time as RFC 3339 with whole seconds."""

    def __init__(self, service: Service, now: Callable[[], str]) -> None:
        self._service = service
        self._now = now
        self._written: dict[str, dict[str, Any]] = {}
        self._noted: dict[str, frozenset[Key]] = {}
        kind = service.registry.by_name("gatehouse.dev", "ManifestFile")
        assert kind is not None, "ManifestFile is a built-in kind"
        self._all = Collection(kind, kind.storage_version.name)

    def start(self) -> list[File]:
        """What was written before: the files with the content last seen and the objects they held."""
        files = []
        for item in self._service.list(self._all, ListOptions()).items:
            obj = orjson.loads(item)
            status = self._written[obj["spec"]["path"]] = obj.get("status") or {}
            held = {key for described in status.get("objects") or () if (key := self._key(described))}
            noted = obj["metadata"].get("annotations", {}).get(ADOPTED, "[]")
            adopted = {Key(*entry) for entry in orjson.loads(noted)}
            file = File(obj["spec"]["path"], digest=status.get("observedHash", ""), held=held, adopted=adopted)
            file.as_applied = any(condition["status"] == "True" for condition in status.get("conditions") or ())
            self._noted[file.path] = frozenset(adopted)
            files.append(file)
        return files

    def _key(self, described: Mapping[str, str]) -> Key | None:
        kind = self._service.registry.by_name(described["apiVersion"].rpartition("/")[0], described["kind"])
        return Key(kind.resource, described.get("namespace", ""), described["name"]) if kind else None

    async def write(self, file: File) -> None:
        """Bring the object of a file up to date; log what is new."""
        status = status_of(file, self._service.registry)
        before = self._written.get(file.path, {})
        condition = status["conditions"][0]
        old: dict[str, Any] = next(iter(before.get("conditions", ())), {})
        same = old.get("status") == condition["status"]
        condition["lastTransitionTime"] = old["lastTransitionTime"] if same else self._now()
        if status == before and frozenset(file.adopted) == self._noted.get(file.path):
            return
        self._log(file, status, old)
        target = self._all.object(name_of(file.path), subresource="status")
        try:
            if file.path not in self._written or file.adopted > self._noted[file.path]:
                await self.note(file)
            patch = Patch("merge", {"status": status})
            answer = await self._service.patch(target, patch, WriteOptions(manager=_MANAGER))
            if file.adopted != self._noted[file.path]:  # that less is adopted only once the objects are off the list
                await self.note(file)
        except StatusError as error:
            if error.code == 404:  # somebody deleted it
                self._written.pop(file.path, None)
            _LOG.error("manifests: the status of %s cannot be written: %s", file.path, error.message)
            return
        self._written[file.path] = orjson.loads(answer.value)["status"]

    async def note(self, file: File) -> None:
        """Remember which objects the file has adopted; makes the object of the file where there is none.

        Raises StatusError.
        """
        target, adopted = self._target(file.path), frozenset(file.adopted)
        metadata: dict[str, Any] = {"name": target.name}
        if adopted:
            metadata["annotations"] = {ADOPTED: orjson.dumps([list(key) for key in sorted(adopted)]).decode()}
        config = {
            "apiVersion": target.kind.api_version(target.version),
            "kind": target.kind.name,
            "metadata": metadata,
            "spec": {"path": file.path},
        }
        await self._service.patch(target, Patch("apply", config), WriteOptions(manager=_MANAGER, force=True))
        self._noted[file.path] = adopted

    async def remove(self, path: str) -> None:
        """A file is gone, and its objects with it."""
        self._written.pop(path, None)
        self._noted.pop(path, None)
        _LOG.info("manifests: %s is gone, and its objects with it", path)
        try:
            await self._service.delete(self._target(path), DeleteOptions(manager=_MANAGER))
        except StatusError as error:
            if error.code != 404:
                _LOG.error("manifests: the ManifestFile of %s cannot be deleted: %s", path, error.message)

    def _target(self, path: str) -> Target:
        return self._all.object(name_of(path))

    @staticmethod
    def _log(file: File, status: dict[str, Any], old: dict[str, Any]) -> None:
        if not (problems := file.all_problems()):
            _LOG.info("manifests: %s: %s", file.path, status["conditions"][0]["message"])
        elif old.get("message") != status["conditions"][0]["message"]:
            for problem in problems[:PROBLEMS_LIMIT]:
                _LOG.warning("manifests: %s", text(file.path, problem))
