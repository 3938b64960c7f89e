"""Pod, Deployment and ServiceAccount: served only on request, loose about what nobody here reads."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from store.errors import StatusError
from store.http.urls import collection_of
from store.kinds.core import NAMESPACE
from store.kinds.deployment import DEPLOYMENT
from store.kinds.pod import POD
from store.kinds.registry import builtin, why_not_served
from store.log.database import open_log
from store.schema.compile import compile_schema
from store.service import Service
from store.verbs import Collection

CONTAINER = {"name": "web", "image": "example.com/web:1", "livenessProbe": {"httpGet": {"port": 80}}}


def deployment(**spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [CONTAINER]}}
    selector = {"matchLabels": {"app": "web"}}
    metadata = {"name": "web", "namespace": "default"}
    return {"metadata": metadata, "spec": {"selector": selector, "template": template, **spec}}


def causes(value: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    admission = compile_schema(DEPLOYMENT.storage_version.schema).admit(value, old)
    assert admission.unknown == []
    return [f"{cause.field}: {cause.message}" for cause in admission.causes]


def test_workloads_are_served_only_on_request() -> None:
    assert builtin().find("", "pods") is None
    assert builtin(serve_workloads=True).find("", "pods") is POD
    assert builtin(serve_workloads=True).by_name("apps", "Deployment") is DEPLOYMENT


@pytest.mark.parametrize(("group", "plural"), [("", "pods"), ("", "serviceaccounts"), ("apps", "deployments")])
def test_the_refusal_says_why(group: str, plural: str) -> None:
    with pytest.raises(StatusError) as raised:
        collection_of(builtin(), {"group": group, "version": "v1", "plural": plural})
    assert raised.value.code == 404
    assert "--serve-workloads" in raised.value.message


def test_kinds_that_nobody_knows_have_no_such_excuse() -> None:
    assert why_not_served("apps", "statefulsets") == ""


def test_defaults_and_unknown_fields_of_a_deployment() -> None:
    value = deployment()
    assert causes(value) == []
    spec = value["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    container = spec["template"]["spec"]["containers"][0]
    assert container["livenessProbe"] == {"httpGet": {"port": 80}}
    assert spec["template"]["spec"]["restartPolicy"] == "Always"


def test_a_recreating_deployment_has_no_bounds() -> None:
    value = deployment(strategy={"type": "Recreate"})
    assert causes(value) == []
    assert value["spec"]["strategy"] == {"type": "Recreate"}


def test_a_selector_that_misses_its_own_pods_is_refused() -> None:
    found = causes(deployment(selector={"matchLabels": {"app": "other"}}))
    assert len(found) == 1 and "`selector` does not match template `labels`" in found[0]


def test_a_selector_never_changes() -> None:
    labels = {"app": "web", "tier": "front"}
    changed = deployment(
        selector={"matchLabels": labels},
        template={"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER]}},
    )
    assert any("field is immutable" in text for text in causes(changed, deployment()))


def test_a_pod_needs_containers_with_images() -> None:
    compiled = compile_schema(POD.storage_version.schema)
    bare = compiled.admit({"metadata": {"name": "a"}, "spec": {}})
    assert [cause.field for cause in bare.causes] == ["spec.containers"]
    nameless = compiled.admit({"metadata": {"name": "a"}, "spec": {"containers": [{"image": "a"}]}})
    assert [cause.field for cause in nameless.causes] == ["spec.containers[0].name"]


@pytest.mark.parametrize(
    ("status", "cells"),
    [
        ({"phase": "Pending"}, ["0/1", "Pending", "0"]),
        (
            {"phase": "Running", "containerStatuses": [{"name": "web", "ready": True, "restartCount": 2}]},
            ["1/1", "Running", "2"],
        ),
        ({"phase": "Failed", "reason": "Evicted"}, ["0/1", "Evicted", "0"]),
    ],
)
def test_columns_of_a_pod(status: dict[str, Any], cells: list[str]) -> None:
    value = {"metadata": {"name": "a"}, "spec": {"containers": [CONTAINER]}, "status": status}
    shown = {column.name: column.cell(value) for column in POD.storage_version.columns if column.cell}
    assert [shown[name] for name in ("Ready", "Status", "Restarts")] == cells


def test_a_namespace_goes_with_pods_that_are_served_no_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        before = await Service.open(open_log(tmp_path / "log.db"), builtin(serve_workloads=True))
        await before.create(Collection(NAMESPACE, "v1"), {"metadata": {"name": "a"}})
        pod = {"metadata": {"name": "web"}, "spec": {"containers": [CONTAINER]}}
        await before.create(Collection(POD, "v1", "a"), pod)
        await before.close()
        service = await Service.open(open_log(tmp_path / "log.db"), builtin())
        await service.delete(Collection(NAMESPACE, "v1").object("a"))
        async with asyncio.timeout(30):
            while any(key.name in ("a", "web") for key, _ in service.snapshot()[1]):
                await asyncio.sleep(0.01)
        await service.close()

    asyncio.run(scenario())
