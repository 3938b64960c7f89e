"""200 route changes under load: no request fails, no old answer after a new one, and how soon a change serves.

Thousands of unrelated routes lie in the store. Kept-alive connections are busy all the time, fresh ones are made in a
stream. Each change switches the backend of one route and has the gateway number its answers, so that every answer says
by which rule and by which backend it was given; when its request was sent and when it was received is on the clock that
all processes of a machine share.
"""

from __future__ import annotations

import math
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.client import Connection
from tests.faults.load import CHANGE_HEADER, Answer, read_answers
from tests.scenarios.appliance import Appliance, free_port
from tests.scenarios.waiting import wait_for

GROUP = "/apis/gateway.networking.k8s.io/v1/namespaces/default"
BACKENDS = "/apis/gatehouse.dev/v1alpha1/namespaces/default/backends"
HOST = "switch.example.com"
QUIET_S = 0.1
P50_AIM_MS = 50.0


@dataclass(frozen=True, slots=True)
class Change:
    """One switch: its number, and when the API had answered."""

    number: int
    answered_s: float


def run(folder: Path, changes: int, unrelated: int, connections: int) -> list[str]:
    """Everything in one appliance. The promises that were broken, as sentences."""
    port = free_port()
    with Appliance(folder / "data", "--access-log", str(folder / "access.log")) as appliance:
        backends, backend_ports = start_backends(folder)
        try:
            prepare(appliance, port, backend_ports, unrelated)
            load = Load(folder, port, connections)
            try:
                made = switch(appliance, changes)
            finally:
                failures = load.stop()
        finally:
            backends.terminate()
            backends.wait(10)
    answers = read_answers(folder / "answers")
    return judge(made, answers, failures)


def start_backends(folder: Path) -> tuple[subprocess.Popen[bytes], tuple[int, int]]:
    """Two backends in one process, which answer "0" and "1"."""
    ports = free_port(), free_port()
    command = [sys.executable, "-m", "tests.faults.load", "backends", *map(str, ports)]
    process = subprocess.Popen(command, stdout=(folder / "backends.log").open("wb"), stderr=subprocess.STDOUT)
    return process, ports


class Load:
    """The generator, in a process of its own; ended by closing its standard input."""

    def __init__(self, folder: Path, port: int, connections: int) -> None:
        command = [sys.executable, "-m", "tests.faults.load", "drive", str(port), HOST, str(connections)]
        self._process = subprocess.Popen(
            [*command, str(folder / "answers")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "running\n"

    def stop(self) -> list[str]:
        """End it; the failures it saw, as sentences."""
        out, _ = self._process.communicate(timeout=60)
        return out.splitlines()


def route(name: str, host: str, change: int = 0) -> dict[str, Any]:
    """An HTTPRoute on the one Gateway, as the change of this number makes it."""
    reference = {"group": "gatehouse.dev", "kind": "Backend", "name": f"backend-{change % 2}"}
    number = {"set": [{"name": CHANGE_HEADER, "value": str(change)}]}
    filters = [{"type": "ResponseHeaderModifier", "responseHeaderModifier": number}]
    rules = [{"filters": filters, "backendRefs": [reference]}]
    spec = {"parentRefs": [{"name": "gateway"}], "hostnames": [host], "rules": rules}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": spec,
    }


def prepare(appliance: Appliance, port: int, backend_ports: Sequence[int], unrelated: int) -> None:
    """A Gateway, two Backends, the route that will switch, and the routes that never change."""
    with Connection(appliance) as connection:
        for index, backend_port in enumerate(backend_ports):
            spec = {"endpoints": [{"ip": "127.0.0.1", "port": backend_port}]}
            backend: dict[str, Any] = {"apiVersion": "gatehouse.dev/v1alpha1", "kind": "Backend", "spec": spec}
            connection.call("POST", BACKENDS, backend | {"metadata": {"name": f"backend-{index}"}})
        listener = {"name": "http", "protocol": "HTTP", "port": port}
        gateway: dict[str, Any] = {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {"name": "gateway"},
        }
        gateway["spec"] = {"gatewayClassName": "gatehouse", "listeners": [listener]}
        connection.call("POST", f"{GROUP}/gateways", gateway)
        connection.call("POST", f"{GROUP}/httproutes", route("switch", HOST))
    begin = time.monotonic()
    threads = [threading.Thread(target=add_unrelated, args=(appliance, range(i, unrelated, 8))) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{unrelated} unrelated routes created in {time.monotonic() - begin:.1f} s")
    begin = time.monotonic()
    wait_for("every route is attached", lambda: attached(appliance) == unrelated + 1, deadline_s=300, pause_s=0.5)
    print(f"all attached {time.monotonic() - begin:.1f} s later")


def add_unrelated(appliance: Appliance, numbers: range) -> None:
    """Routes on hosts of their own."""
    with Connection(appliance) as connection:
        for number in numbers:
            name = f"unrelated-{number}"
            connection.call("POST", f"{GROUP}/httproutes", route(name, f"{name}.example.com"))


def attached(appliance: Appliance) -> int:
    """What the listener's status counts."""
    gateway = appliance.request("GET", f"{GROUP}/gateways/gateway")
    return sum(listener["attachedRoutes"] for listener in gateway["status"].get("listeners", []))


def switch(appliance: Appliance, changes: int) -> list[Change]:
    """Change after change, with a quiet moment between them."""
    made = []
    with Connection(appliance) as connection:
        for number in range(1, changes + 1):
            body = {"spec": route("switch", HOST, number)["spec"]}
            connection.call("PATCH", f"{GROUP}/httproutes/switch", body, "application/merge-patch+json")
            made.append(Change(number, time.monotonic()))
            time.sleep(QUIET_S)  # a pause of the experiment, not a wait: lateness is measured, not avoided
    return made


def judge(made: Sequence[Change], answers: Sequence[Answer], failures: Sequence[str]) -> list[str]:
    """Hold the answers against the changes; print the figures; the promises that were broken."""
    if not answers:
        return ["not one request was answered", *failures[:10]]
    first_seen_s = first_seen(answers, len(made))
    old = sum(a.sent_s > first_seen_s[a.change + 1] for a in answers if a.change < len(made))
    never = [change.number for change in made if first_seen_s[change.number] == math.inf]
    wrong = sum(a.backend != a.change % 2 for a in answers)
    print(f"{len(made)} changes, {len(answers)} answers, {len(failures)} failed requests")
    print(f"{old} old answers to requests sent after the first new one was seen; {wrong} by another rule's backend")
    broken = [f"failed request: {failure}" for failure in failures[:10]]
    broken += [
        f"{count} {what}" for count, what in ((old, "old answers after a new one"), (wrong, "mixed answers")) if count
    ]
    broken += [f"change {number} was never served" for number in never]
    delays_ms = [max(0.0, first_seen_s[c.number] - c.answered_s) * 1000 for c in made if c.number not in never]
    if delays_ms and (p50 := distribution(delays_ms)) > P50_AIM_MS:
        broken.append(f"p50 from the API's answer to the first new answer is {p50:.1f} ms, aimed at {P50_AIM_MS}")
    return broken


def first_seen(answers: Sequence[Answer], changes: int) -> list[float]:
    """By change number: when the first answer by its rule, or by a later one, was received; infinity for never."""
    seen = [math.inf] * (changes + 1)
    for answer in answers:
        seen[answer.change] = min(seen[answer.change], answer.received_s)
    for number in range(changes - 1, -1, -1):
        seen[number] = min(seen[number], seen[number + 1])
    return seen


def distribution(delays_ms: Sequence[float]) -> float:
    """Print it; the median."""
    ordered = sorted(delays_ms)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    points = ", ".join(f"p{round(share * 100)} {at(share):.1f}" for share in (0.1, 0.5, 0.9, 0.99))
    print(f"from the API's answer to the first answer by the new rule, ms: {points}, max {ordered[-1]:.1f}")
    return at(0.5)
