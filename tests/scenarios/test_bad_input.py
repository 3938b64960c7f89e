"""What is wrong gets a clear answer in the right place, and traffic that flowed keeps flowing."""

from __future__ import annotations

import datetime as dt
import http.client
import re
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.appliance import ApiError, Appliance, free_port
from tests.scenarios.backends import http_server
from tests.scenarios.certificates import DAY, Pair, TestAuthority
from tests.scenarios.netns import unavailable
from tests.scenarios.objects import apply, conditions, wait_for_condition
from tests.scenarios.waiting import wait_for

GROUP = "/apis/gateway.networking.k8s.io/v1/namespaces/default"
MANIFESTS = "/apis/gatehouse.dev/v1alpha1/manifestfiles"

GOOD = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: good, namespace: default}}
spec:
  gatewayClassName: gatehouse
  listeners: [{{name: http, port: {port}, protocol: HTTP}}]
---
apiVersion: gatehouse.dev/v1alpha1
kind: Backend
metadata: {{name: good, namespace: default}}
spec: {{endpoints: [{{ip: 127.0.0.1, port: {backend}}}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: good, namespace: default}}
spec:
  parentRefs: [{{name: good}}]
  rules: [{{backendRefs: [{{group: gatehouse.dev, kind: Backend, name: good}}]}}]
---
"""

GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: {name}, namespace: default}}
spec:
  gatewayClassName: gatehouse
  listeners: [{{name: it, port: {port}, protocol: {protocol}{more}}}]
---
"""


class Flow:
    """Requests through the good route all the while; every one of them must be answered 200."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answered = 0
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Flow:
        wait_for("the good route serves", self._try)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _try(self) -> bool:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as client:
                client.request("GET", "/")
                return client.getresponse().status == 200
        except OSError:
            return False

    def _run(self) -> None:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self._stop.wait(0.005):
            try:
                client.request("GET", "/")
                answer = client.getresponse()
                answer.read()
                if answer.status != 200:
                    self.failures.append(f"status {answer.status}")
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                client.close()
            self.answered += 1
        client.close()

    def still(self) -> None:
        """At least ten more answers, and not one failure so far."""
        reached = self.answered + 10
        wait_for("ten more answers", lambda: self.answered >= reached)
        assert self.failures == []


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The watched folder."""
    return tmp_path_factory.mktemp("manifests")


@pytest.fixture(scope="module")
def appliance(tmp_path_factory: pytest.TempPathFactory, manifests: Path) -> Iterator[Appliance]:
    """One appliance for all that does not need its own."""
    data = tmp_path_factory.mktemp("bad") / "data"
    with Appliance(data, "--manifests", str(manifests), "--access-log", "off") as running:
        yield running


@pytest.fixture(scope="module")
def flow(appliance: Appliance) -> Iterator[Flow]:
    """Traffic that flows."""
    port = free_port()
    with http_server(b"good") as backend:
        apply(appliance, GOOD.format(port=port, backend=backend))
        wait_for_condition(appliance, f"{GROUP}/httproutes/good", "Accepted")  # from here on nobody writes to it
        with Flow(port) as flowing:
            yield flowing


def refused(appliance: Appliance, method: str, path: str, body: Any) -> ApiError:
    """What the API says to a request that it must refuse."""
    with pytest.raises(ApiError) as caught:
        appliance.request(method, path, body)
    return caught.value


def test_a_malformed_object_is_refused_with_its_field(appliance: Appliance, flow: Flow) -> None:
    """422 with the path of the field and what it must be; the good route is as it was."""
    good = appliance.request("GET", f"{GROUP}/httproutes/good")
    good["spec"]["rules"][0]["matches"] = [{"path": {"type": "Prefix", "value": "/"}}]
    error = refused(appliance, "PUT", f"{GROUP}/httproutes/good", good)
    assert (error.status, error.body["reason"]) == (422, "Invalid")
    cause = error.body["details"]["causes"][0]
    assert cause["field"] == "spec.rules[0].matches[0].path.type"
    assert 'Unsupported value: "Prefix"' in cause["message"]
    assert "PathPrefix" in cause["message"]
    flow.still()


def test_a_body_that_is_not_json_is_refused(appliance: Appliance, flow: Flow) -> None:
    """400 with a sentence, not a stack trace."""
    client = http.client.HTTPSConnection(
        "127.0.0.1", appliance.api_port, context=ssl.create_default_context(cafile=str(appliance.ca)), timeout=30
    )
    with closing(client):
        headers = {"Authorization": f"Bearer {appliance.token}", "Content-Type": "application/json"}
        client.request("POST", f"{GROUP}/httproutes", '{"kind": "HTTPRoute",', headers)
        answer = client.getresponse()
        body = answer.read().decode()
    assert answer.status == 400
    assert "BadRequest" in body
    assert "Traceback" not in body
    flow.still()


def test_a_malformed_file_is_named_with_its_line(appliance: Appliance, flow: Flow, manifests: Path) -> None:
    """A ManifestFile says file, line and remedy; the objects of the file's last good text stay; other files apply."""
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: default}\ndata: {a: one}\n"
    (manifests / "bad.yaml").write_text(text % "from-bad-file")
    maps = "/api/v1/namespaces/default/configmaps"
    wait_for("the first text is applied", lambda: exists(appliance, f"{maps}/from-bad-file"))
    (manifests / "bad.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [\n")
    (manifests / "other.yaml").write_text(text % "from-other-file")

    def complaint() -> str:
        for item in appliance.request("GET", MANIFESTS)["items"]:
            if item["spec"]["path"].endswith("bad.yaml"):
                found = item.get("status", {}).get("conditions", ())
                return " ".join(c["message"] for c in found if c["status"] == "False")
        return ""

    said = wait_for("the complaint", complaint)
    assert re.search(r"bad\.yaml:\d+:\d+: not YAML", said), said
    wait_for("the other file is applied", lambda: exists(appliance, f"{maps}/from-other-file"))
    assert appliance.request("GET", f"{maps}/from-bad-file")["data"] == {"a": "one"}
    flow.still()


def exists(appliance: Appliance, path: str) -> bool:
    """The object is there."""
    try:
        appliance.request("GET", path)
    except ApiError as error:
        assert error.status == 404
        return False
    return True


def test_a_missing_service_is_said_on_the_route(appliance: Appliance, flow: Flow) -> None:
    """ResolvedRefs=False/BackendNotFound names the Service; the rule answers 500, other routes go on."""
    apply(
        appliance,
        """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: lost, namespace: default}
spec:
  parentRefs: [{name: good}]
  hostnames: [lost.example.com]
  rules: [{backendRefs: [{name: nowhere, port: 80}]}]
""",
    )
    found = wait_for_condition(appliance, f"{GROUP}/httproutes/lost", "ResolvedRefs", "False", "BackendNotFound")
    assert "nowhere" in found["message"]
    assert wait_for("500", lambda: status_of(flow.port, "lost.example.com")) == 500
    flow.still()


def status_of(port: int, host: str) -> int:
    """Of a GET of / with a Host."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as client:
        client.request("GET", "/", headers={"Host": host})
        return client.getresponse().status


def test_a_port_of_another_program_is_said_and_taken_when_free(appliance: Appliance, flow: Flow) -> None:
    """Programmed=False with the operating system's words; when the other program goes, it listens by itself."""
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        port = other.getsockname()[1]
        apply(appliance, GATEWAY.format(name="late", port=port, protocol="HTTP", more=""))
        found = wait_for_condition(appliance, f"{GROUP}/gateways/late", "Programmed", "False")
        assert "in use" in found["message"]
        flow.still()
    wait_for_condition(appliance, f"{GROUP}/gateways/late", "Programmed", "True", deadline_s=30)


def listener_condition(appliance: Appliance, gateway: str, kind: str) -> dict[str, Any]:
    """A condition of the first listener of a Gateway."""
    found = appliance.request("GET", f"{GROUP}/gateways/{gateway}")
    listeners = found.get("status", {}).get("listeners")
    assert listeners, "no listener status yet"
    return next(c for c in listeners[0]["conditions"] if c["type"] == kind)


def tls(port: int, name: str) -> str:
    """An HTTPS Gateway whose certificate is the Secret of the same name."""
    more = f", hostname: {name}.example.com, tls: {{certificateRefs: [{{name: {name}}}]}}"
    return GATEWAY.format(name=name, port=port, protocol="HTTPS", more=more)


def test_a_key_of_another_certificate_is_said(appliance: Appliance, flow: Flow) -> None:
    """ResolvedRefs=False/InvalidCertificateRef says that they do not match."""
    authority, port = TestAuthority(), free_port()
    one, two = authority.issue("mixed.example.com"), authority.issue("mixed.example.com")
    apply(appliance, replace(one, key=two.key).secret("mixed") + tls(port, "mixed"))

    def reason() -> str:
        found = listener_condition(appliance, "mixed", "ResolvedRefs")
        assert "match" in found["message"], found
        return str(found["reason"])

    assert wait_for("the listener's condition", reason) == "InvalidCertificateRef"
    flow.still()


def test_a_pair_that_is_exchanged_half_by_half_serves_all_the_while(appliance: Appliance, flow: Flow) -> None:
    """Until the new key fits the new certificate, the old pair serves and the condition says so."""
    authority, port = TestAuthority(), free_port()
    old, new = authority.issue("halves.example.com"), authority.issue("halves.example.com")
    context = ssl.create_default_context(cadata=authority.pem.decode())

    def shown() -> bytes:
        plain = socket.create_connection(("127.0.0.1", port), timeout=30)
        with context.wrap_socket(plain, server_hostname="halves.example.com") as client:
            return client.getpeercert(binary_form=True) or b""

    def certificate(pair: Pair) -> bytes:
        return ssl.PEM_cert_to_DER_cert(pair.certificate.decode())

    apply(appliance, old.secret("halves") + tls(port, "halves"))
    wait_for_condition(appliance, f"{GROUP}/gateways/halves", "Programmed")
    assert shown() == certificate(old)
    apply(appliance, replace(old, key=new.key).secret("halves"))
    words = "does not match the certificate CN=halves.example.com; what the Secret held before is served"
    wait_for("it is said", lambda: words in listener_condition(appliance, "halves", "ResolvedRefs")["message"])
    assert shown() == certificate(old)
    assert listener_condition(appliance, "halves", "Programmed")["status"] == "True"
    apply(appliance, new.secret("halves"))
    wait_for("the new pair", lambda: shown() == certificate(new))
    wait_for_condition(appliance, f"{GROUP}/gateways/halves", "Programmed")
    assert listener_condition(appliance, "halves", "ResolvedRefs")["status"] == "True"
    flow.still()


@pytest.mark.parametrize(
    ("name", "certificate", "words"),
    [
        ("expired", {"names": ["expired.example.com"], "since": -3 * DAY, "until": -DAY}, "expired"),
        ("wrong", {"names": ["elsewhere.test"]}, "wrong.example.com"),
    ],
)
def test_a_doubtful_certificate_serves_and_is_said(
    appliance: Appliance, flow: Flow, name: str, certificate: dict[str, Any], words: str
) -> None:
    """Expired or of another name: the handshake gives it, as nginx would, and a condition warns in words."""
    authority, port = TestAuthority(), free_port()
    dates = {k: v for k, v in certificate.items() if isinstance(v, dt.timedelta)}
    apply(appliance, authority.issue(*certificate["names"], **dates).secret(name) + tls(port, name))
    wait_for_condition(appliance, f"{GROUP}/gateways/{name}", "Programmed")

    def messages() -> str:
        found = appliance.request("GET", f"{GROUP}/gateways/{name}")
        every = [*found["status"]["conditions"], *found["status"]["listeners"][0]["conditions"]]
        return " ".join(c["message"] for c in every)

    wait_for(f"{words!r} is said", lambda: words in messages())
    context = ssl.create_default_context(cadata=authority.pem.decode())
    plain = socket.create_connection(("127.0.0.1", port), timeout=30)
    with plain, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(plain, server_hostname=f"{name}.example.com")
    flow.still()


def test_a_full_disk_refuses_writes_and_keeps_serving(tmp_path: Path) -> None:
    """507 with a sentence; reads and traffic go on; there is no restart needed when there is room again."""
    if reason := unavailable():
        pytest.skip(reason)
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m,mode=0700", "tmpfs", disk], check=True)
    port = free_port()
    try:
        with http_server(b"good") as backend, Appliance(disk / "data", "--access-log", "off") as appliance:
            apply(appliance, GOOD.format(port=port, backend=backend))
            with Flow(port) as flow:
                error = fill(appliance)
                assert error.status == 507, error
                assert re.search("full|no space", error.body["message"], re.IGNORECASE)
                assert appliance.request("GET", f"{GROUP}/httproutes/good")["metadata"]["name"] == "good"
                flow.still()
                subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
                wait_for("writes are accepted again", lambda: writes(appliance))
                flow.still()
    finally:
        subprocess.run(["umount", disk], check=True)


def big_map(name: str) -> dict[str, Any]:
    """A ConfigMap of half a megabyte."""
    data = {"bulk": "x" * 500_000}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def fill(appliance: Appliance) -> ApiError:
    """Write until it is refused."""
    for number in range(40):
        try:
            appliance.request("POST", "/api/v1/namespaces/default/configmaps", big_map(f"bulk-{number}"))
        except ApiError as error:
            return error
    raise AssertionError("20 MB went onto a disk of 6 MB")


def writes(appliance: Appliance) -> bool:
    """A write is acknowledged."""
    try:
        appliance.request("POST", "/api/v1/namespaces/default/configmaps", big_map("after"))
    except ApiError as error:
        assert error.status in (409, 507)
        return error.status == 409
    return True


def last_words(data: Path) -> tuple[int, str]:
    """Exit code and output of `gatehouse run` on a data folder that it must refuse."""
    command = [sys.executable, "-m", "appliance", "run", "--data-dir", str(data), "--api-bind", "127.0.0.1:0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """It names both versions and leaves the file as it is."""
    appliance = Appliance(tmp_path / "data", "--access-log", "off")
    with appliance:
        pass
    database = next(appliance.data.glob("*.db"))
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 999")
        connection.commit()
    before = database.read_bytes()
    code, said = last_words(appliance.data)
    assert code == 1
    assert "999" in said
    assert "Traceback" not in said
    assert database.read_bytes() == before


def test_a_data_folder_in_use_is_refused(appliance: Appliance, flow: Flow) -> None:
    """The second says who has it; the first does not notice."""
    code, said = last_words(appliance.data)
    assert code == 1
    assert str(appliance.pid) in said
    assert "Traceback" not in said
    flow.still()


def test_the_good_route_never_changed(appliance: Appliance, flow: Flow) -> None:
    """After everything above: still accepted, still served."""
    found = conditions(appliance.request("GET", f"{GROUP}/httproutes/good"))
    assert (found["Accepted"]["status"], found["ResolvedRefs"]["status"]) == ("True", "True")
    flow.still()
