"""Which Pods a Deployment means."""

from __future__ import annotations

import re
from typing import Any

from tests.conformance.workloads.deployments import HASH_LABEL, owned, plan, template_hash

Json = dict[str, Any]


def deployment(replicas: int = 2, image: str = "a") -> Json:
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": image}]},
    }
    return {
        "metadata": {"name": "web", "namespace": "default", "uid": "d1", "generation": 3},
        "spec": {"replicas": replicas, "template": template},
    }


def stored(pod: Json, uid: str, *, ready: bool = True) -> Json:
    condition = {"type": "Ready", "status": str(ready)}
    return {**pod, "metadata": {**pod["metadata"], "uid": uid}, "status": {"conditions": [condition]}}


def test_missing_pods_are_made() -> None:
    made = plan(deployment(), [], "node")
    assert len(made.create) == 2 and made.delete == ()
    pod = made.create[0]
    assert re.fullmatch(r"web-[a-z0-9]{10}-[a-z0-9]{5}", pod["metadata"]["name"])
    assert pod["metadata"]["labels"] == {"app": "web", HASH_LABEL: template_hash(deployment())}
    assert pod["spec"]["nodeName"] == "node"
    assert owned(deployment(), pod)
    assert made.status == {"observedGeneration": 3, "unavailableReplicas": 2}


def test_surplus_pods_go_those_first_that_are_not_ready() -> None:
    one, two = plan(deployment(), [], "node").create
    pods = [stored(one, "1", ready=False), stored(two, "2")]
    after = plan(deployment(replicas=1), pods, "node")
    assert after.create == () and after.delete == (one["metadata"]["name"],)
    assert after.status["readyReplicas"] == 1


def test_another_template_replaces_all() -> None:
    pods = [stored(pod, str(n)) for n, pod in enumerate(plan(deployment(), [], "node").create)]
    after = plan(deployment(image="b"), pods, "node")
    assert len(after.create) == 2 and len(after.delete) == 2


def test_pods_of_others_are_not_its_own() -> None:
    (pod, _) = plan(deployment(), [], "node").create
    other = deployment()
    other["metadata"]["uid"] = "d2"
    assert not owned(other, pod)
