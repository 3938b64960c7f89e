"""python -m tests.kubernetes.record: runs every case against the server of KUBECONFIG and keeps the answers.

Only a real kube-apiserver is worth recording. The official CRDs of the experimental channel must
be applied to it. Answers of kubectl releases other than the one on PATH are kept as they are.
"""

from __future__ import annotations

import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.kubernetes.cases import CASES
from tests.kubernetes.runner import kubectl_version, run_case

AT_ONCE = 3
RECORDED = Path(__file__).with_name("recorded.json")


def load() -> dict[str, Any]:
    """The recording: answers by kubectl release, then by case."""
    found: dict[str, Any] = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    return found


def main() -> None:
    kubeconfig = Path(os.environ["KUBECONFIG"])
    with tempfile.TemporaryDirectory() as home, ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda case: run_case(case, kubeconfig, Path(home)), CASES)
        answers = {case.name: answer for case, answer in zip(CASES, found, strict=True)}
    recorded = load() | {kubectl_version(): answers}
    RECORDED.write_text(json.dumps(recorded, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
