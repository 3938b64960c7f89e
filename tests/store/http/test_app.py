"""The wire: status codes, forms and headers that clients other than kubectl see."""

from __future__ import annotations

import gzip
import json
import ssl
from typing import Any

import httpx
import orjson
import pytest

from store.http.bodies import LIMIT_BYTES
from tests.store.http.running import Api

ROUTES = "/apis/gateway.networking.k8s.io/v1/namespaces/{}/httproutes"
CONFIGMAPS = "/api/v1/namespaces/{}/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def _configmap(name: str = "one", **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": data}


def test_apiversion_and_kind_follow_from_the_url(client: httpx.Client, namespace: str) -> None:
    answer = client.post(CONFIGMAPS.format(namespace), content=json.dumps(_configmap()))
    assert answer.status_code == 201
    assert (answer.json()["apiVersion"], answer.json()["kind"]) == ("v1", "ConfigMap")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "Gateway"}, "Gateway in version"),
        ({"apiVersion": "gateway.networking.k8s.io/v9"}, "does not match the expected API version"),
        ({"metadata": {"name": "x", "namespace": "elsewhere"}}, "namespace"),
    ],
)
def test_a_body_that_belongs_elsewhere(
    client: httpx.Client, namespace: str, wrong: dict[str, Any], message: str
) -> None:
    answer = client.post(ROUTES.format(namespace), json={"metadata": {"name": "x"}, "spec": {}} | wrong)
    assert answer.status_code == 400
    assert message in answer.json()["message"]


def test_yaml_in_and_out(client: httpx.Client, namespace: str) -> None:
    body = "metadata:\n  name: one\ndata:\n  size: '010'\n"
    answer = client.post(
        CONFIGMAPS.format(namespace),
        content=body,
        headers={"Content-Type": "application/yaml", "Accept": "application/yaml"},
    )
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/yaml"
    assert "size: '010'" in answer.text


@pytest.mark.parametrize(
    ("method", "path", "headers", "code"),
    [
        ("GET", "/nowhere", {}, 404),
        ("GET", "/apis/nobody.dev", {}, 404),
        ("GET", "/apis/nobody.dev/v1/things", {}, 404),
        ("GET", "/api/v9/configmaps", {}, 404),
        ("GET", "/api/v1/configmaps/one", {}, 404),
        ("GET", "/api/v1/namespaces/default/namespaces", {}, 404),
        ("GET", "/api/v1/namespaces/default/configmaps/one/status", {}, 404),
        ("GET", "/api/v1/namespaces/default/configmaps", {"Accept": "text/html"}, 406),
        ("POST", "/api/v1/configmaps", {}, 405),
        ("PUT", "/api/v1/namespaces/default/configmaps", {}, 405),
        ("POST", "/api/v1/namespaces/default/configmaps/one", {}, 405),
        ("PATCH", "/api/v1/namespaces/default/configmaps/one", {"Content-Type": "application/json"}, 415),
        ("GET", "/api/v1/configmaps?limit=many", {}, 400),
        ("GET", "/api/v1/configmaps?labelSelector=!!", {}, 400),
        ("GET", "/api/v1/configmaps?continue=nonsense", {}, 400),
        ("GET", "/api/v1/configmaps?resourceVersion=999999999", {}, 504),
        ("GET", "/api/v1/configmaps?resourceVersion=0&resourceVersionMatch=Exact", {}, 422),
        ("GET", "/api/v1/configmaps?watch=1&sendInitialEvents=1", {}, 422),
        ("GET", "/api/v1/configmaps?includeObject=Half", {"Accept": TABLE}, 422),
        ("DELETE", "/api/v1/namespaces/default", {}, 403),
        ("GET", "/api/v1/configmaps", {"Authorization": "Bearer wrong"}, 401),
        ("GET", "/api/v1/configmaps", {"Authorization": ""}, 401),
        ("GET", "/version", {"Authorization": ""}, 200),
        ("GET", "/api/v1/configmaps", {"Origin": "https://evil.example"}, 403),
        ("GET", "/version", {"Origin": "https://evil.example"}, 403),
        ("GET", "/api/v1/configmaps", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", "/api/v1/configmaps", {"Host": "evil.example"}, 403),
        ("GET", "/api/v1/configmaps", {"Host": "localhost:6443"}, 200),
        ("GET", "/api/v1/configmaps", {"Host": "[::1]:6443"}, 200),
        ("HEAD", "/api/v1/configmaps", {}, 200),
        ("GET", "/version/", {}, 200),
        ("GET", "/apis/gateway.networking.k8s.io", {}, 200),
    ],
)
def test_status_codes(client: httpx.Client, method: str, path: str, headers: dict[str, str], code: int) -> None:
    answer = client.request(method, path, headers=headers)
    assert answer.status_code == code, answer.text
    if code >= 400 and answer.headers["content-type"] == "application/json":
        assert answer.json()["code"] == code


def test_bodies_have_a_limit(client: httpx.Client, namespace: str) -> None:
    answer = client.post(CONFIGMAPS.format(namespace), content=b"x" * (LIMIT_BYTES + 1))
    assert answer.status_code == 413
    assert answer.json()["message"] == "Request entity too large: limit is 3145728"


def test_a_body_of_unknown_length_has_the_same_limit(client: httpx.Client, namespace: str) -> None:
    pieces = (b"x" * 65536 for _ in range(LIMIT_BYTES // 65536 + 1))
    assert client.post(CONFIGMAPS.format(namespace), content=pieces).status_code == 413


def test_only_administrators_may_do_anything(api: Api, client: httpx.Client) -> None:
    bundle = api.authority.issue_client("guest", ("visitors",))
    file = api.folder / "guest.pem"
    file.write_bytes(bundle.certificate_pem + bundle.key_pem)
    context = ssl.create_default_context(cafile=str(api.ca_file))
    context.load_cert_chain(file)
    with httpx.Client(base_url=api.url, verify=context) as guest:
        assert guest.get("/api").status_code == 200
        answer = guest.get("/api/v1/namespaces/default/configmaps/one")
        review = guest.post(
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            json={"spec": {"resourceAttributes": {"verb": "get", "resource": "configmaps"}}},
        )
    assert answer.status_code == 403
    assert answer.json()["message"] == (
        'configmaps "one" is forbidden: User "guest" cannot get resource "configmaps" '
        'in API group "" in the namespace "default"'
    )
    assert review.json()["status"] == {"allowed": False}


def test_unknown_fields_warn(client: httpx.Client, namespace: str) -> None:
    answer = client.post(CONFIGMAPS.format(namespace), json=_configmap() | {"dada": {}})
    assert answer.status_code == 201
    assert answer.headers["warning"] == '299 - "unknown field \\"dada\\""'
    answer = client.post(
        CONFIGMAPS.format(namespace) + "?fieldValidation=Strict", json=_configmap("two") | {"dada": {}}
    )
    assert answer.status_code == 400
    assert 'unknown field "dada"' in answer.json()["message"]


def test_tables(client: httpx.Client, namespace: str) -> None:
    client.post(CONFIGMAPS.format(namespace), json=_configmap(a="b"))
    table = client.get(CONFIGMAPS.format(namespace), headers={"Accept": TABLE}).json()
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    row = table["rows"][0]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    assert row["object"]["metadata"]["name"] == row["cells"][0] == "one"


def test_metadata_alone(client: httpx.Client, namespace: str) -> None:
    client.post(CONFIGMAPS.format(namespace), json=_configmap(a="b"))
    accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    found = client.get(CONFIGMAPS.format(namespace), headers={"Accept": accept}).json()
    assert found["kind"] == "PartialObjectMetadataList"
    assert set(found["items"][0]) == {"kind", "apiVersion", "metadata"}


def test_pages_tell_what_remains(client: httpx.Client, namespace: str) -> None:
    for name in "abcde":
        client.post(CONFIGMAPS.format(namespace), json=_configmap(name))
    first = client.get(CONFIGMAPS.format(namespace) + "?limit=2").json()
    assert (len(first["items"]), first["metadata"]["remainingItemCount"]) == (2, 3)
    query = {"limit": "9", "continue": first["metadata"]["continue"]}
    rest = client.get(CONFIGMAPS.format(namespace), params=query).json()
    assert [item["metadata"]["name"] for item in rest["items"]] == ["c", "d", "e"]
    assert "continue" not in rest["metadata"]


def test_large_answers_are_compressed(client: httpx.Client, namespace: str) -> None:
    client.post(CONFIGMAPS.format(namespace), json=_configmap(big="x" * 200_000))
    with client.stream("GET", CONFIGMAPS.format(namespace), headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert len(raw) < 10_000
    assert len(orjson.loads(gzip.decompress(raw))["items"]) == 1


def test_deleting_answers_a_status_or_the_object(client: httpx.Client, namespace: str) -> None:
    created = client.post(CONFIGMAPS.format(namespace), json=_configmap()).json()
    status = client.delete(CONFIGMAPS.format(namespace) + "/one").json()
    assert status["status"] == "Success"
    assert status["details"] == {"name": "one", "kind": "configmaps", "uid": created["metadata"]["uid"]}
    services = f"/api/v1/namespaces/{namespace}/services"
    client.post(services, json={"metadata": {"name": "one"}, "spec": {"ports": [{"port": 80}]}}).raise_for_status()
    assert client.delete(services + "/one").json()["kind"] == "Service"


def test_watch_lines(client: httpx.Client, namespace: str) -> None:
    revision = client.get(CONFIGMAPS.format(namespace)).json()["metadata"]["resourceVersion"]
    client.post(CONFIGMAPS.format(namespace), json=_configmap())
    client.patch(
        CONFIGMAPS.format(namespace) + "/one",
        json={"data": {"a": "b"}},
        headers={"Content-Type": "application/merge-patch+json"},
    )
    client.delete(CONFIGMAPS.format(namespace) + "/one")
    query = {"watch": "true", "resourceVersion": revision, "timeoutSeconds": "1"}
    answer = client.get(CONFIGMAPS.format(namespace), params=query)
    events = [orjson.loads(line) for line in answer.text.splitlines()]
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert events[2]["object"]["data"] == {"a": "b"}
    answer = client.get(CONFIGMAPS.format(namespace), params=query, headers={"Accept": TABLE})
    tables = [orjson.loads(line)["object"] for line in answer.text.splitlines()]
    assert [len(table["columnDefinitions"]) for table in tables] == [3, 0, 0], "the first line alone names the columns"
    assert [table["rows"][0]["cells"][1] for table in tables] == ["0", "1", "1"]


def test_informers_get_their_initial_events(client: httpx.Client, namespace: str) -> None:
    client.post(CONFIGMAPS.format(namespace), json=_configmap())
    query = {
        "watch": "true",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "1",
    }
    answer = client.get(CONFIGMAPS.format(namespace), params=query)
    first, bookmark, *_ = [orjson.loads(line) for line in answer.text.splitlines()]
    assert (first["type"], first["object"]["metadata"]["name"]) == ("ADDED", "one")
    assert bookmark["type"] == "BOOKMARK"
    assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    tabled = client.get(CONFIGMAPS.format(namespace), params=query, headers={"Accept": TABLE})
    assert orjson.loads(tabled.text.splitlines()[1])["type"] == "BOOKMARK"


def test_aggregated_discovery_has_an_etag(client: httpx.Client) -> None:
    first = client.get("/apis", headers={"Accept": AGGREGATED + ",application/json"})
    assert first.headers["content-type"] == AGGREGATED
    assert first.headers["vary"] == "Accept"
    again = client.get("/apis", headers={"Accept": AGGREGATED, "If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    groups = {item["metadata"]["name"]: item for item in first.json()["items"]}
    versions = [version["version"] for version in groups["gateway.networking.k8s.io"]["versions"]]
    assert versions[0] == "v1"
    legacy = client.get("/apis").json()
    assert [group["name"] for group in legacy["groups"]] == list(groups)


def test_every_document_of_the_index_is_there(client: httpx.Client) -> None:
    index = client.get("/openapi/v3").json()["paths"]
    assert {"api/v1", "apis/gateway.networking.k8s.io/v1"} <= set(index)
    for entry in index.values():
        answer = client.get(entry["serverRelativeURL"])
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        document = answer.json()
        text = answer.text
        for component in {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}:
            assert component in document["components"]["schemas"]
        again = client.get(entry["serverRelativeURL"], headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304


def test_patches_of_every_kind_take_the_parameters_that_kubectl_looks_for(client: httpx.Client) -> None:
    document = client.get("/openapi/v3/apis/gateway.networking.k8s.io/v1").json()
    operation = document["paths"]["/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/gateways/{name}"]["patch"]
    assert operation["x-kubernetes-action"] == "patch"
    assert operation["x-kubernetes-group-version-kind"]["kind"] == "Gateway"
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert {"dryRun", "fieldManager", "fieldValidation", "force"} <= names


def test_openapi_v2(client: httpx.Client) -> None:
    document = client.get("/openapi/v2").json()
    assert document["swagger"] == "2.0"
    assert "io.k8s.api.core.v1.Service" in document["definitions"]
    protobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    assert client.get("/openapi/v2", headers={"Accept": protobuf}).content.startswith(b"\n\x032.0")
    assert client.get("/openapi/v2", headers={"Accept": "text/html"}).status_code == 406
