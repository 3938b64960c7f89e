"""`gatehouse check`: files judged without a running appliance.

Paths come in; findings with file, line, field and remedy go out. The judges are the very ones that run in the
appliance: the manifest reader, the store's schemas and the translator. Nothing is written and no network is used.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from appliance.cli.attachments import Attachment, attachments
from appliance.manifests import targets
from appliance.manifests.folders import ChangedWhileReadError, look, read_file
from appliance.manifests.placing import place
from appliance.manifests.reader import Document, Problem, describe, place_of, read
from appliance.problems import StartError
from store.errors import Cause, StatusError
from store.kinds import registry as kinds
from store.kinds.definitions import kind_from_crd
from store.kinds.kind import Version
from store.kinds.registry import Registry
from store.log.contract import Key
from store.objects import metadata
from store.patch.errors import PatchError
from store.patch.validity import check_configuration
from store.schema.compile import Admission, compile_schema
from store.strategies import prepare_create
from store.verbs import Target

SIZE_LIMIT_BYTES = 16 * 1024**2
_CRD = "CustomResourceDefinition"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not right. level: "error" fails the check; a "warning" is for the reader to judge."""

    file: str
    problem: Problem
    level: Literal["error", "warning"] = "error"


@dataclass(slots=True)
class Findings:
    """What a check found: problems, and where every route goes."""

    files: int = 0
    objects: int = 0
    problems: list[Finding] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """How many findings fail the check."""
        return sum(1 for finding in self.problems if finding.level == "error")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One object of a file."""

    file: str
    data: bytes
    document: Document
    target: Target


def check(paths: Sequence[Path]) -> Findings:
    """Judge all files together. Raises StartError for a path that is not there."""
    findings = Findings()
    entries = _distinct(_resolved(_documents(paths, findings), findings), findings)
    findings.objects = len(entries)
    valid = [entry for entry in entries if _judge_schema(entry, findings)]
    admitted = {targets.key_of(entry.target): _admitted(entry) for entry in valid}
    places = {targets.key_of(entry.target): (entry.file, entry.document, entry.data) for entry in valid}
    found = attachments(admitted, int(time.time()))
    findings.attachments = found.attachments
    for key, problem in found.problems:
        file, document, data = places[key]
        findings.problems.append(Finding(file, _placed(problem, document, data)))
    for key, problem in found.doubts:
        file, document, data = places[key]
        findings.problems.append(Finding(file, _placed(problem, document, data), "warning"))
    findings.problems.sort(key=lambda finding: (finding.file, finding.problem.line, finding.problem.column))
    return findings


def _documents(paths: Sequence[Path], findings: Findings) -> list[tuple[str, bytes, Document]]:
    """Every object of every file, in the order given."""
    documents = []
    for file, folder in _files(paths, findings):
        findings.files += 1
        try:
            data, _ = read_file(str(file), folder, SIZE_LIMIT_BYTES)
        except (OSError, ChangedWhileReadError) as error:
            problem = Problem(f"cannot be read: {error}", "Correct its permissions, and save it whole.")
            findings.problems.append(Finding(str(file), problem))
            continue
        reading = read(data)
        findings.problems += [Finding(str(file), problem) for problem in reading.problems]
        documents += [(str(file), data, document) for document in reading.documents]
    return documents


def _files(paths: Sequence[Path], findings: Findings) -> Iterable[tuple[Path, Path]]:
    """Files with the folder that they must not leave."""
    for path in paths:
        if path.is_dir():
            folder = look(path, SIZE_LIMIT_BYTES)
            if folder.gone:
                raise StartError(f"{path} cannot be looked into: {folder.gone}")
            findings.problems += [Finding(str(file), problem) for file, problem in folder.refused.items()]
            yield from ((file, path) for file in folder.files)
        elif path.exists():
            yield path, path.resolve().parent
        else:
            raise StartError(f"{path} is not there; name files or folders that are")


def _resolved(documents: Iterable[tuple[str, bytes, Document]], findings: Findings) -> list[_Entry]:
    """Objects whose kind is known, definitions among the files included."""
    registry = kinds.builtin()
    entries = []
    documents = sorted(documents, key=lambda item: item[2].value["kind"] != _CRD)
    for file, data, document in documents:
        if document.value["kind"] == _CRD:
            findings.problems += [Finding(file, problem) for problem in _install(registry, document, data)]
        resolved = targets.resolve(registry, document, data)
        if isinstance(resolved, Problem):
            findings.problems.append(Finding(file, resolved))
        else:
            entries.append(_Entry(file, data, document, resolved[1]))
    return entries


def _install(registry: Registry, document: Document, data: bytes) -> list[Problem]:
    try:
        registry.install(kind_from_crd(copy.deepcopy(document.value)))
    except StatusError as error:
        return place(error, document, data)
    return []


def _distinct(entries: Iterable[_Entry], findings: Findings) -> list[_Entry]:
    """The first claim of each object; further ones are findings."""
    first: dict[Key, _Entry] = {}
    for entry in entries:
        holder = first.setdefault(targets.key_of(entry.target), entry)
        if holder is not entry:
            message = f"is declared in {holder.file}, line {holder.document.line}, already"
            name = describe(entry.document.value)
            problem = Problem(message, "Remove one of the two.", entry.document.line, 1, name)
            findings.problems.append(Finding(entry.file, problem))
    return list(first.values())


def _judge_schema(entry: _Entry, findings: Findings) -> bool:
    """Whether the object is valid as the store would see it; findings otherwise."""
    config, admission = _admission(entry)
    strict, refusals = [], []
    if admission.unknown:
        message = ", ".join(f'unknown field "{path}"' for path in admission.unknown)
        strict.append(StatusError(400, "BadRequest", message))
    elif not admission.causes:
        refusals += _unmergeable(entry)
    if not refusals and (causes := admission.causes or ([] if strict else _metadata_faults(entry, config))):
        refusals.append(StatusError(422, "Invalid", "invalid", causes=tuple(causes)))
    problems = [problem for error in (*strict, *refusals) for problem in place(error, entry.document, entry.data)]
    findings.problems += [Finding(entry.file, problem) for problem in problems]
    return not refusals  # a misspelt field leaves its object fit for telling where routes go


def _metadata_faults(entry: _Entry, config: Mapping[str, Any]) -> list[Cause]:
    kind = entry.target.kind
    return metadata.faults(config["metadata"], kind.resource, kind.namespaced)


def _unmergeable(entry: _Entry) -> list[StatusError]:
    """What server-side apply refuses before the schema is asked: of metadata, whose types no schema of a kind tells."""
    config = targets.configuration(entry.document.value, entry.target)
    try:
        check_configuration(config, _version(entry).schema)
    except PatchError as error:
        return [StatusError(400, "BadRequest", str(error))]
    return []


def _admitted(entry: _Entry) -> dict[str, Any]:
    """The object with its defaults, as the translator wants it."""
    config, _ = _admission(entry)
    config["metadata"].setdefault("generation", 1)
    return config


def _admission(entry: _Entry) -> tuple[dict[str, Any], Admission]:
    """The object as the store would make it of the document, and what its schema says."""
    config = copy.deepcopy(targets.configuration(entry.document.value, entry.target))
    prepare_create(entry.target.kind, config)
    return config, compile_schema(_version(entry).schema).admit(config)


def _version(entry: _Entry) -> Version:
    return next(version for version in entry.target.kind.versions if version.name == entry.target.version)


def _placed(problem: Problem, document: Document, data: bytes) -> Problem:
    line, column = place_of(document, data, problem.field)
    return Problem(problem.message, problem.remedy, line, column, describe(document.value), problem.field)
