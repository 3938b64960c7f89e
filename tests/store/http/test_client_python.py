"""The Python `kubernetes` package against the real service: typed, custom and dynamic clients, and its watch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client as kubernetes
from kubernetes import config, dynamic, watch

from tests.store.http.running import Api

GROUP = ("gateway.networking.k8s.io", "v1")


@pytest.fixture
def connection(api: Api) -> Iterator[Any]:
    with config.new_client_from_config(str(api.kubeconfig)) as connection:
        yield connection


def _route(name: str) -> dict[str, Any]:
    backend = {"name": "shop", "port": 80}
    spec = {"parentRefs": [{"name": "gateway"}], "rules": [{"backendRefs": [backend]}]}
    return {
        "apiVersion": "/".join(GROUP),
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": spec,
    }


def test_version(connection: Any) -> None:
    assert kubernetes.VersionApi(connection).get_code().git_version.startswith("v1.")


def test_discovery_with_the_slash_that_generated_clients_end_it_with(connection: Any) -> None:
    assert kubernetes.CoreApi(connection).get_api_versions().versions == ["v1"]
    assert "gateway.networking.k8s.io" in {
        group.name for group in kubernetes.ApisApi(connection).get_api_versions().groups
    }
    assert kubernetes.DiscoveryApi(connection).get_api_group().name == "discovery.k8s.io"
    core = kubernetes.CoreV1Api(connection).get_api_resources().resources
    assert "configmaps" in {resource.name for resource in core}
    slices = kubernetes.DiscoveryV1Api(connection).get_api_resources().resources
    assert {resource.name for resource in slices} == {"endpointslices"}
    with pytest.raises(kubernetes.ApiException) as absent:
        kubernetes.AppsV1Api(connection).get_api_resources()
    assert absent.value.status == 404


def test_typed_objects(connection: Any, namespace: str) -> None:
    core = kubernetes.CoreV1Api(connection)
    body = kubernetes.V1ConfigMap(metadata=kubernetes.V1ObjectMeta(name="one"), data={"colour": "green"})
    created = core.create_namespaced_config_map(namespace, body)
    assert (created.kind, created.data) == ("ConfigMap", {"colour": "green"})
    core.patch_namespaced_config_map("one", namespace, {"data": {"size": "big"}})
    core.patch_namespaced_config_map("one", namespace, [{"op": "remove", "path": "/data/colour"}])
    assert core.read_namespaced_config_map("one", namespace).data == {"size": "big"}
    created = core.read_namespaced_config_map("one", namespace)
    created.data["size"] = "small"
    core.replace_namespaced_config_map("one", namespace, created)
    with pytest.raises(kubernetes.ApiException) as stale:
        core.replace_namespaced_config_map("one", namespace, created)
    assert stale.value.status == 409
    core.delete_namespaced_config_map("one", namespace, propagation_policy="Background")
    assert core.list_namespaced_config_map(namespace).items == []


def test_deletecollection(connection: Any, namespace: str) -> None:
    core = kubernetes.CoreV1Api(connection)
    for name in ("a", "b", "c"):
        labels = {"drop": "no" if name == "c" else "yes"}
        core.create_namespaced_config_map(namespace, {"metadata": {"name": name, "labels": labels}})
    core.delete_collection_namespaced_config_map(namespace, label_selector="drop=yes")
    assert [item.metadata.name for item in core.list_namespaced_config_map(namespace).items] == ["c"]


def test_custom_objects(connection: Any, namespace: str) -> None:
    custom = kubernetes.CustomObjectsApi(connection)
    where = (*GROUP, namespace, "httproutes")
    custom.create_namespaced_custom_object(*where, _route("one"))
    custom.patch_namespaced_custom_object(*where, "one", {"spec": {"hostnames": ["a.example.com"]}})
    got = custom.get_namespaced_custom_object(*where, "one")
    assert (got["spec"]["hostnames"], got["metadata"]["generation"]) == (["a.example.com"], 2)
    got["spec"]["hostnames"] = ["b.example.com"]
    replaced = custom.replace_namespaced_custom_object(*where, "one", got)
    assert replaced["spec"]["hostnames"] == ["b.example.com"]
    status: dict[str, list[object]] = {"parents": []}
    custom.patch_namespaced_custom_object_status(*where, "one", {"status": status})
    assert custom.get_namespaced_custom_object_status(*where, "one")["status"] == status
    assert custom.delete_namespaced_custom_object(*where, "one")["status"] == "Success"


def test_dynamic_client(connection: Any, namespace: str) -> None:
    routes = dynamic.DynamicClient(connection).resources.get(api_version="/".join(GROUP), kind="HTTPRoute")
    routes.create(body=_route("one"), namespace=namespace)
    assert [item.metadata.name for item in routes.get(namespace=namespace).items] == ["one"]
    with pytest.raises(dynamic.exceptions.DynamicApiError) as refused:
        routes.patch(body={"metadata": {"name": "one"}}, namespace=namespace)
    assert refused.value.status == 415, "a strategic merge patch of a custom kind"
    merge = "application/merge-patch+json"
    body = {"spec": {"hostnames": ["a.example.com"]}}
    assert routes.patch(name="one", body=body, namespace=namespace, content_type=merge).spec.hostnames == [
        "a.example.com"
    ]
    applied = routes.server_side_apply(body=_route("two"), namespace=namespace, field_manager="tests")
    assert applied.metadata.managedFields[0].manager == "tests"
    routes.delete(name="one", namespace=namespace)


def test_watch(connection: Any, namespace: str) -> None:
    core = kubernetes.CoreV1Api(connection)
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "before"}})
    seen = []
    watching = watch.Watch()
    for event in watching.stream(core.list_namespaced_config_map, namespace, timeout_seconds=30):
        seen.append((event["type"], event["object"].metadata.name))
        match len(seen):
            case 1:
                core.create_namespaced_config_map(namespace, {"metadata": {"name": "after"}})
            case 2:
                core.patch_namespaced_config_map("after", namespace, {"data": {"a": "b"}})
            case 3:
                core.delete_namespaced_config_map("before", namespace)
            case 4:
                watching.stop()
    assert seen == [("ADDED", "before"), ("ADDED", "after"), ("MODIFIED", "after"), ("DELETED", "before")]
