"""The real kubectl against the real service over TLS: everything that people do with it every day."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.store.http.running import Api, write_kubeconfig

pytestmark = pytest.mark.needs("kubectl")

CONFIGMAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  labels: {{app: shop}}
data:
  colour: {colour}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: shop
spec:
  selector: {app: shop}
  ports:
  - {name: web, port: 80}
  - {name: admin, port: 81}
"""
ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {name}
spec:
  parentRefs:
  - name: gateway
  hostnames: [{hostname}]
  rules:
  - backendRefs:
    - {{name: shop, port: 80}}
"""
STATUS = json.dumps(
    {
        "status": {
            "parents": [
                {
                    "controllerName": "a.dev/b",
                    "parentRef": {"name": "gateway"},
                    "conditions": [
                        {
                            "type": "Accepted",
                            "status": "True",
                            "reason": "Accepted",
                            "message": "",
                            "lastTransitionTime": "2026-01-01T00:00:00Z",
                        }
                    ],
                }
            ]
        }
    }
)


class Kubectl:
    """kubectl in one namespace."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace

    def __call__(self, *arguments: str, stdin: str = "", **environment: str) -> str:
        return self.api.kubectl(f"-n={self.namespace}", *arguments, stdin=stdin, **environment).ok()  # type: ignore[arg-type]

    def refused(self, *arguments: str, stdin: str = "") -> str:
        ran = self.api.kubectl(f"-n={self.namespace}", *arguments, stdin=stdin)
        assert ran.code != 0, ran.out
        return ran.err


@pytest.fixture
def kubectl(api: Api, namespace: str) -> Kubectl:
    return Kubectl(api, namespace)


def _configmap(name: str = "one", colour: str = "green") -> str:
    return CONFIGMAP.format(name=name, colour=colour)


def _route(name: str = "one", hostname: str = "www.example.com") -> str:
    return ROUTE.format(name=name, hostname=hostname)


def test_create_get_and_delete(kubectl: Kubectl) -> None:
    assert kubectl("create", "-f", "-", stdin=_configmap()) == "configmap/one created\n"
    header, line = kubectl("get", "configmap").splitlines()
    assert header.split() == ["NAME", "DATA", "AGE"]
    assert line.split()[:2] == ["one", "1"]
    assert kubectl("get", "cm", "one", "-o", "jsonpath={.data.colour}") == "green"
    assert json.loads(kubectl("get", "cm", "one", "-o", "json"))["metadata"]["namespace"] == kubectl.namespace
    assert "colour: green" in kubectl("get", "cm", "-o", "yaml")
    assert kubectl("get", "cm", "-o", "name") == "configmap/one\n"
    assert kubectl("get", "cm", "--show-labels").split()[-1] == "app=shop"
    assert kubectl("delete", "cm", "one") == 'configmap "one" deleted\n'
    assert "No resources found" in kubectl.api.kubectl(f"-n={kubectl.namespace}", "get", "cm").err


def test_typed_creation_sends_protobuf(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "typed", "--from-literal=a=b")
    kubectl("create", "secret", "generic", "hidden", "--from-literal=a=b")
    kubectl("create", "service", "clusterip", "web", "--tcp=80:8080")
    assert kubectl("get", "secret", "hidden", "-o", "jsonpath={.data.a}") == "Yg=="
    assert kubectl("get", "service", "web", "-o", "jsonpath={.spec.ports[0].targetPort}") == "8080"


def test_pages(kubectl: Kubectl) -> None:
    documents = "---\n".join(_configmap(f"c{i}") for i in range(5))
    kubectl("create", "-f", "-", stdin=documents)
    names = kubectl("get", "cm", "--chunk-size=2", "-o", "name").split()
    assert names == [f"configmap/c{i}" for i in range(5)]
    assert len(kubectl("get", "cm", "--chunk-size=2", "--no-headers").splitlines()) == 5
    assert len(kubectl("get", "cm", "--sort-by=.metadata.name", "--no-headers").splitlines()) == 5


def test_selectors(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=_configmap("a") + "---\n" + _configmap("b"))
    kubectl("label", "cm", "a", "tier=front")
    assert kubectl("get", "cm", "-l", "tier=front", "-o", "name") == "configmap/a\n"
    assert kubectl("get", "cm", "-l", "tier notin (front),app", "-o", "name") == "configmap/b\n"
    assert kubectl("get", "cm", "--field-selector=metadata.name=b", "-o", "name") == "configmap/b\n"
    assert kubectl("delete", "cm", "-l", "app=shop").count("deleted") == 2


def test_watch(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=_configmap())
    command = ["kubectl", f"-n={kubectl.namespace}", "get", "cm", "-w", "--no-headers"]
    environment = kubectl.api.environment()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        try:
            assert watching.stdout.readline().split()[:2] == ["one", "1"]
            kubectl("patch", "cm", "one", "--type=merge", "-p", '{"data":{"size":"big"}}')
            assert watching.stdout.readline().split()[:2] == ["one", "2"]
            kubectl("create", "-f", "-", stdin=_configmap("two"))
            assert watching.stdout.readline().split()[:2] == ["two", "1"]
        finally:
            watching.terminate()


def test_apply_client_side_to_a_built_in(kubectl: Kubectl) -> None:
    assert kubectl("apply", "-f", "-", stdin=SERVICE) == "service/shop created\n"
    assert kubectl("apply", "-f", "-", stdin=SERVICE) == "service/shop unchanged\n"
    changed = SERVICE.replace("  - {name: admin, port: 81}\n", "  - {name: tls, port: 443}\n")
    assert kubectl("apply", "-f", "-", stdin=changed) == "service/shop configured\n"
    assert kubectl("get", "svc", "shop", "-o", "jsonpath={.spec.ports[*].port}") == "80 443"


def test_apply_client_side_to_a_custom_kind(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=_route())
    kubectl("annotate", "httproute", "one", "kept=yes")
    kubectl("apply", "-f", "-", stdin=_route(hostname="changed.example.com"))
    got = json.loads(kubectl("get", "httproute", "one", "-o", "json"))
    assert got["spec"]["hostnames"] == ["changed.example.com"]
    assert got["metadata"]["annotations"]["kept"] == "yes"
    assert got["metadata"]["generation"] == 2


def test_apply_server_side(kubectl: Kubectl) -> None:
    kubectl("apply", "--server-side", "--field-manager=first", "-f", "-", stdin=_configmap())
    conflict = kubectl.refused(
        "apply", "--server-side", "--field-manager=second", "-f", "-", stdin=_configmap(colour="red")
    )
    assert 'conflict with "first": .data.colour' in conflict
    kubectl(
        *("apply", "--server-side", "--field-manager=second", "--force-conflicts", "-f", "-"),
        stdin=_configmap(colour="red"),
    )
    assert kubectl("get", "cm", "one", "-o", "jsonpath={.data.colour}") == "red"
    managed = json.loads(kubectl("get", "cm", "one", "-o", "json", "--show-managed-fields"))["metadata"][
        "managedFields"
    ]
    owners = {entry["manager"]: entry["fieldsV1"] for entry in managed}
    assert "f:data" in owners["second"]
    assert "f:data" not in owners.get("first", {}) or "f:colour" not in owners["first"]["f:data"]


def test_diff(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=_configmap())
    assert kubectl("diff", "-f", "-", stdin=_configmap()) == ""
    ran = kubectl.api.kubectl(f"-n={kubectl.namespace}", "diff", "-f", "-", stdin=_configmap(colour="red"))
    assert ran.code == 1
    assert "-  colour: green" in ran.out
    assert "+  colour: red" in ran.out
    assert kubectl("get", "cm", "one", "-o", "jsonpath={.data.colour}") == "green"


@pytest.mark.parametrize(
    ("type_", "patch", "ports"),
    [
        ("strategic", '{"spec":{"ports":[{"port":82,"name":"more"}]}}', [80, 81, 82]),
        ("strategic", '{"spec":{"ports":[{"port":81,"$patch":"delete"}]}}', [80]),
        ("merge", '{"spec":{"ports":[{"port":82,"name":"only"}]}}', [82]),
        ("json", '[{"op":"replace","path":"/spec/ports/0/port","value":8000}]', [8000, 81]),
    ],
)
def test_patches(kubectl: Kubectl, type_: str, patch: str, ports: list[int]) -> None:
    kubectl("create", "-f", "-", stdin=SERVICE)
    kubectl("patch", "service", "shop", f"--type={type_}", "-p", patch)
    assert kubectl("get", "svc", "shop", "-o", "jsonpath={.spec.ports[*].port}") in {
        " ".join(map(str, order)) for order in (ports, ports[-1:] + ports[:-1])
    }


def test_patch_of_a_custom_kind(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=_route())
    assert "strategic-merge-patch+json is not supported" in kubectl.refused(
        "patch", "httproute", "one", "-p", '{"spec":{}}'
    )
    kubectl("patch", "httproute", "one", "--type=merge", "-p", '{"spec":{"hostnames":["a.example.com"]}}')
    assert kubectl("get", "httproute", "one", "-o", "jsonpath={.spec.hostnames[0]}") == "a.example.com"
    kubectl(
        *("patch", "httproute", "one", "--subresource=status", "--type=merge", "-p"),
        STATUS,
    )
    got = json.loads(kubectl("get", "httproute", "one", "-o", "json"))
    assert got["status"]["parents"][0]["controllerName"] == "a.dev/b"
    assert got["metadata"]["generation"] == 2, "status does not count"


def test_edit(kubectl: Kubectl, folder: Path) -> None:
    editor = folder / "editor"
    editor.write_text('#!/bin/sh\nsed -i s/green/blue/ "$1"\n')
    editor.chmod(0o755)
    kubectl("create", "-f", "-", stdin=_configmap())
    assert "edited" in kubectl("edit", "configmap", "one", KUBE_EDITOR=str(editor))
    assert kubectl("get", "cm", "one", "-o", "jsonpath={.data.colour}") == "blue"


def test_label_and_annotate(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=_configmap())
    kubectl("label", "cm", "one", "tier=back")
    assert "--overwrite is false" in kubectl.refused("label", "cm", "one", "tier=front")
    kubectl("label", "cm", "one", "tier=front", "--overwrite")
    kubectl("label", "cm", "one", "app-")
    kubectl("annotate", "cm", "one", "note=a b")
    metadata = json.loads(kubectl("get", "cm", "one", "-o", "json"))["metadata"]
    assert (metadata["labels"], metadata["annotations"]) == ({"tier": "front"}, {"note": "a b"})


def test_replace(kubectl: Kubectl, folder: Path) -> None:
    file = folder / "cm.yaml"
    file.write_text(_configmap())
    kubectl("create", "-f", str(file))
    before = kubectl("get", "cm", "one", "-o", "jsonpath={.metadata.uid}")
    file.write_text(_configmap(colour="red"))
    assert kubectl("replace", "-f", str(file)) == "configmap/one replaced\n"
    assert kubectl("get", "cm", "one", "-o", "jsonpath={.metadata.uid}") == before
    kubectl("replace", "--force", "-f", str(file))
    assert kubectl("get", "cm", "one", "-o", "jsonpath={.metadata.uid}") != before


@pytest.mark.parametrize("cascade", ["background", "orphan", "foreground"])
def test_delete_with_each_cascade(kubectl: Kubectl, cascade: str) -> None:
    kubectl("create", "-f", "-", stdin=_configmap())
    kubectl("delete", "cm", "one", f"--cascade={cascade}", "--wait=false")
    if cascade == "background":
        assert "not found" in kubectl.refused("get", "cm", "one")


def test_delete_with_a_finalizer_waits(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=_route())
    kubectl("patch", "httproute", "one", "--type=merge", "-p", '{"metadata":{"finalizers":["example.dev/wait"]}}')
    kubectl("delete", "httproute", "one", "--wait=false")
    assert kubectl("get", "httproute", "one", "-o", "jsonpath={.metadata.deletionTimestamp}")
    command = ["kubectl", f"-n={kubectl.namespace}", "wait", "--for=delete", "httproute/one", "--timeout=30s"]
    with subprocess.Popen(command, env=kubectl.api.environment(), stdout=subprocess.DEVNULL) as waiting:
        kubectl("patch", "httproute", "one", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        assert waiting.wait(30) == 0
    assert "not found" in kubectl.refused("get", "httproute", "one")


def test_wait_for_a_condition(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=_route())
    command = [
        *("kubectl", f"-n={kubectl.namespace}", "wait", "--timeout=30s", "httproute/one"),
        "--for=jsonpath={.status.parents[0].controllerName}=a.dev/b",
    ]
    with subprocess.Popen(command, env=kubectl.api.environment(), stdout=subprocess.DEVNULL) as waiting:
        kubectl(
            *("patch", "httproute", "one", "--subresource=status", "--type=merge", "-p"),
            STATUS,
        )
        assert waiting.wait(30) == 0
    kubectl("wait", "--for=condition=Established", "crd/httproutes.gateway.networking.k8s.io", "--timeout=30s")


def test_namespaces_come_and_go(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=_configmap())
    assert "deleted" in kubectl("delete", "namespace", kubectl.namespace, "--timeout=30s")
    assert "not found" in kubectl.refused("get", "namespace", kubectl.namespace)


def test_explain(kubectl: Kubectl) -> None:
    explained = kubectl("explain", "httproute.spec.rules.matches.path")
    assert "KIND:       HTTPRoute" in explained
    assert "enum: Exact, PathPrefix, RegularExpression" in explained
    assert "hostname" in kubectl("explain", "gateway.spec.listeners")
    assert "ownerReferences\t<[]OwnerReference>" in kubectl("explain", "service.metadata")
    assert "binaryData" in kubectl("explain", "configmap", "--recursive")


def test_discovery(kubectl: Kubectl) -> None:
    assert {"v1", "gateway.networking.k8s.io/v1", "apiextensions.k8s.io/v1"} <= set(kubectl("api-versions").split())
    resources = kubectl("api-resources", "--api-group=gateway.networking.k8s.io", "-o", "name").split()
    assert {"gateways.gateway.networking.k8s.io", "httproutes.gateway.networking.k8s.io"} <= set(resources)


def test_who_and_what(kubectl: Kubectl) -> None:
    assert "system:masters" in kubectl("auth", "whoami")
    assert kubectl("auth", "can-i", "create", "gateways.gateway.networking.k8s.io") == "yes\n"
    assert "Server Version: v1." in kubectl("version")


def test_describe_shows_events(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=_route())
    uid = kubectl("get", "httproute", "one", "-o", "jsonpath={.metadata.uid}")
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "one.1"},
        "involvedObject": {"kind": "HTTPRoute", "name": "one", "namespace": kubectl.namespace, "uid": uid},
        "reason": "Noted",
        "message": "something happened",
        "type": "Normal",
    }
    kubectl("create", "-f", "-", stdin=json.dumps(event))
    described = kubectl("describe", "httproute", "one")
    assert "Hostnames:" in described
    assert "something happened" in described
    assert "something happened" in kubectl("events")
    assert "something happened" in kubectl("get", "events")


def test_installed_definitions_are_served(kubectl: Kubectl) -> None:
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.test.dev"},
        "spec": {
            "group": "test.dev",
            "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "shortNames": ["wg"]},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "description": "A widget of the tests.",
                            "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}},
                        }
                    },
                }
            ],
        },
    }
    kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(definition))
    kubectl("wait", "--for=condition=Established", "crd/widgets.test.dev", "--timeout=30s")
    widget = "apiVersion: test.dev/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 3}\n"
    assert kubectl("apply", "-f", "-", stdin=widget) == "widget.test.dev/w created\n"
    header, line = kubectl("get", "wg").splitlines()
    assert (header.split(), line.split()) == (["NAME", "SIZE"], ["w", "3"])
    assert "A widget of the tests." in kubectl("explain", "widget")
    misspelt = kubectl.refused("apply", "-f", "-", stdin=widget.replace("size", "sise"))
    assert 'unknown field "spec.sise"' in misspelt
    kubectl("delete", "crd", "widgets.test.dev")
    assert "could not find the requested resource" in kubectl.refused("get", "widgets")
    assert "widgets" not in kubectl("api-resources", "--api-group=test.dev", "--cached=false")


def test_a_client_certificate_is_a_user(api: Api, folder: Path) -> None:
    bundle = api.authority.issue_client("operator", ("system:masters",))
    certificate, key = folder / "client.crt", folder / "client.key"
    certificate.write_bytes(bundle.certificate_pem)
    key.write_bytes(bundle.key_pem)
    config = folder / "kubeconfig"
    write_kubeconfig(config, api, {"client-certificate": str(certificate), "client-key": str(key)})
    assert "operator" in api.kubectl("auth", "whoami", KUBECONFIG=str(config)).ok()
