"""kill -9 at random moments: nothing that was acknowledged is lost, nothing is torn, revisions never go back.

Writers write through REST and through the watched folder; a write counts as acknowledged when the API answered, or
when the folder's object was read back. After each kill the appliance starts again on the same data folder, and every
object is compared with what was acknowledged and with what was sent.
"""

from __future__ import annotations

import http.client
import random
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.client import Connection
from tests.scenarios.appliance import ApiError, Appliance

PATH = "/api/v1/namespaces/default/configmaps"
REST_WRITERS = 4
OBJECTS_PER_WRITER = 10


@dataclass
class Ledger:
    """What was sent and what was acknowledged, by object name: the number written, and its revision."""

    sent: dict[str, int] = field(default_factory=dict)
    acknowledged: dict[str, tuple[int, int]] = field(default_factory=dict)
    total: int = 0
    by_folder: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    target: int = 0
    reached: threading.Event = field(default_factory=threading.Event)

    def acknowledge(self, name: str, number: int, revision: int, *, folder: bool = False) -> None:
        """Record an acknowledgement; wakes the killer at the one it waits for."""
        with self.lock:
            self.acknowledged[name] = number, revision
            self.total += 1
            self.by_folder += folder
            if self.total >= self.target:
                self.reached.set()

    @property
    def newest(self) -> int:
        """The highest acknowledged revision."""
        return max((revision for _, revision in self.acknowledged.values()), default=0)


def config_map(name: str, number: int) -> dict[str, Any]:
    """Two fields that must always agree, some bulk between them so that a torn write would show."""
    data = {"a": str(number), "bulk": f"{number} " * 200, "z": str(number)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def run(folder: Path, rounds: int, writes: int, seed: int | None) -> list[str]:
    """All rounds on one data folder. The promises that were broken, as sentences."""
    chance = random.Random(seed)
    manifests = folder / "manifests"
    manifests.mkdir()
    appliance = Appliance(folder / "data", "--manifests", str(manifests), "--access-log", "off")
    ledger, broken = Ledger(), []
    for turn in range(rounds):
        appliance.start()
        broken += verify(appliance, ledger)
        before = ledger.total
        ledger.target = before + chance.randint(1, writes)
        ledger.reached.clear()
        killed = threading.Event()
        writers = [
            threading.Thread(target=write_rest, args=(appliance, ledger, w, killed)) for w in range(REST_WRITERS)
        ]
        writers.append(threading.Thread(target=write_folder, args=(appliance, ledger, manifests, killed)))
        for writer in writers:
            writer.start()
        if not ledger.reached.wait(120):
            broken.append(f"round {turn + 1}: only {ledger.total - before} writes acknowledged in 120 s")
        appliance.kill()
        killed.set()
        for writer in writers:
            writer.join()
        print(f"round {turn + 1}: killed after {ledger.total - before} acknowledged writes")
    appliance.start()
    broken += verify(appliance, ledger)
    appliance.stop()
    print(
        f"{rounds} kills, {ledger.total} acknowledged writes ({ledger.by_folder} by the folder): {len(broken)} broken"
    )
    return broken


def write_rest(appliance: Appliance, ledger: Ledger, writer: int, killed: threading.Event) -> None:
    """Create or replace one object after another until the connection dies."""
    try:
        with Connection(appliance) as connection:
            turn = 0
            while not killed.is_set():
                name = f"rest-{writer}-{turn % OBJECTS_PER_WRITER}"
                turn += 1
                number = ledger.sent.get(name, 0) + 1
                ledger.sent[name] = number
                answer = put(connection, name, number)
                ledger.acknowledge(name, number, int(answer["metadata"]["resourceVersion"]))
    except (OSError, http.client.HTTPException):
        return  # killed, as intended; what was acknowledged before is in the ledger


def put(connection: Connection, name: str, number: int) -> Any:
    """Replace, or create where it is not there yet."""
    try:
        return connection.call("PUT", f"{PATH}/{name}", config_map(name, number))
    except ApiError as error:
        if error.status != 404:
            raise
        return connection.call("POST", PATH, config_map(name, number))


def write_folder(appliance: Appliance, ledger: Ledger, manifests: Path, killed: threading.Event) -> None:
    """Replace a file, read the object back until it says so, again."""
    name = "folder-0"
    try:
        with Connection(appliance) as connection:
            while not killed.is_set():
                number = ledger.sent.get(name, 0) + 1
                ledger.sent[name] = number
                text = config_map(name, number)
                text["metadata"]["namespace"] = "default"
                fresh = manifests / ".folder-0.partial"
                fresh.write_text(f"{text}".replace("'", '"'))
                fresh.rename(manifests / "folder-0.yaml")
                if (revision := read_back(connection, name, number, killed)) is not None:
                    ledger.acknowledge(name, number, revision, folder=True)
    except (OSError, http.client.HTTPException):
        return  # killed, as intended


def read_back(connection: Connection, name: str, number: int, killed: threading.Event) -> int | None:
    """The revision at which the object says `number`; None when the appliance was killed before."""
    while not killed.wait(0.01):
        try:
            found = connection.call("GET", f"{PATH}/{name}")
        except ApiError as error:
            if error.status != 404:
                raise
            continue
        if found["data"]["a"] == str(number):
            return int(found["metadata"]["resourceVersion"])
    return None


def verify(appliance: Appliance, ledger: Ledger) -> list[str]:
    """Compare what is there with the ledger."""
    listing = appliance.request("GET", PATH)
    there = {item["metadata"]["name"]: item for item in listing["items"]}
    broken = []
    if int(listing["metadata"]["resourceVersion"]) < ledger.newest:
        broken.append(f"the store is at {listing['metadata']['resourceVersion']}, {ledger.newest} was acknowledged")
    for name, (number, revision) in ledger.acknowledged.items():
        if name not in there:
            broken.append(f"{name}: write {number} was acknowledged, the object is gone")
            continue
        data, now = there[name]["data"], int(there[name]["metadata"]["resourceVersion"])
        if data != config_map(name, int(data["a"]))["data"]:
            broken.append(f"{name}: torn: {data}")
        if not number <= int(data["a"]) <= ledger.sent[name]:
            broken.append(f"{name}: holds {data['a']}; {number} was acknowledged, {ledger.sent[name]} sent")
        if now < revision:
            broken.append(f"{name}: at revision {now}, {revision} was acknowledged")
    return broken
