"""Runs cases against whatever a kubeconfig points to."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from tests.kubernetes.cases import Case
from tests.kubernetes.normal import digest, normalise, skeleton

COMMAND_TIMEOUT_S = 60
_RELEASE_BY_KUSTOMIZE = {"v5.5.0": "v1.32", "v5.8.1": "v1.36"}


class Answer(TypedDict):
    """What one command printed. code: its exit status."""

    command: str
    code: int
    out: str
    err: str


def kubectl_version() -> str:
    """The minor release of the kubectl on PATH, such as v1.32: its own words differ between releases.

    One that was built from its Go module does not know its release, but which kustomize it holds.
    """
    done = subprocess.run(
        ["kubectl", "version", "--client", "-o", "json"], capture_output=True, text=True, check=True, timeout=30
    )
    versions = json.loads(done.stdout)
    release = ".".join(versions["clientVersion"]["gitVersion"].split(".")[:2])
    kustomize = versions["kustomizeVersion"]
    return _RELEASE_BY_KUSTOMIZE.get(kustomize, f"kustomize {kustomize}") if release == "v0.0" else release


def run_case(case: Case, kubeconfig: Path, home: Path) -> list[Answer]:
    """Every command of a case, in a folder with its files and a namespace of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in case.files.items():
            (Path(folder) / name).write_text(text)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "KUBECONFIG": str(kubeconfig),
            "KUBE_EDITOR": "sh ./editor",
            "KUBECTL_EXTERNAL_DIFF": "diff -u -N",
            "LC_ALL": "C.UTF-8",
        }
        if not all(command.startswith("explain ") for command in case.commands):
            _run(["kubectl", "create", "namespace", case.namespace], folder, environment)
        return [_answer(case, command, folder, environment) for command in case.commands]


def _answer(case: Case, command: str, folder: str, environment: Mapping[str, str]) -> Answer:
    arguments = ["kubectl", f"--namespace={case.namespace}", *shlex.split(command)]
    done = _run(arguments, folder, environment)
    out, err = normalise(done.stdout), normalise(done.stderr)
    if arguments[2] == "explain":
        out = _explained(case, command, done.stdout)
    return {"command": command, "code": done.returncode, "out": out, "err": err}


def _explained(case: Case, command: str, printed: str) -> str:
    if case.official:
        return digest(normalise(printed))
    structure = skeleton(printed)
    return digest(structure) if "--recursive" in command else normalise(structure)


def _run(arguments: list[str], folder: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False
    )
