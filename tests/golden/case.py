"""A golden case: objects as kubectl could apply them, and comments for what is not an object.

`# surroundings: {...}` and `# reports: {...}` are flow mappings in comments. reports: "ADDRESS:PORT/TRANSPORT" to
"ERRNO reason", for sockets that cannot be bound; all others listen; `# reports: none` says that nothing was reported.
In Secrets, `certificate: {names: [...], days: [from, to], key: other}` stands for a made pair of tls.crt and tls.key;
`authority: NAME`, in ConfigMaps too, for a made ca.crt.
"""

from __future__ import annotations

import random
from base64 import b64encode
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import yaml

from appliance.gatewayapi.drafts import Drafts, Status
from appliance.gatewayapi.programmed import Reports, programmed
from appliance.gatewayapi.resources import GROUPS, Key, Objects, Resource
from appliance.gatewayapi.surroundings import Surroundings
from appliance.gatewayapi.translate import Memo, Translation, translate
from proxy.snapshot.listeners import BindKey
from proxy.snapshot.report import Applied, BindReport, NameReport, Report
from tests.golden.certificates import NOW, pair

CASES = Path(__file__).parent / "translate"


@dataclass(frozen=True, slots=True)
class Case:
    """A parsed .in.yaml."""

    objects: list[dict[str, Any]]
    surroundings: Surroundings
    failing: dict[str, str] | None
    resolved: dict[str, Any]


def read(path: Path) -> Case:
    text = path.read_text()
    comments = _comments(text)
    objects = [document for document in yaml.safe_load_all(text) if document]
    for position, document in enumerate(objects):
        _complete(document, position)
    return Case(
        objects, _surroundings(comments.get("surroundings") or {}), _failing(comments), comments.get("names", {})
    )


def resources(objects: list[dict[str, Any]]) -> Objects:
    return Objects(
        Resource(Key(o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]), o)
        for o in objects
        if o["kind"] in GROUPS
    )


def run(case: Case, memo: Memo | None = None, *, seed: int | None = None) -> tuple[Translation, dict[Key, Status]]:
    """Translate and let the sockets speak; seed shuffles the objects."""
    objects = list(case.objects)
    if seed is not None:
        random.Random(seed).shuffle(objects)
    translation = translate(resources(objects), case.surroundings, memo or Memo())
    return translation, programmed(translation.drafts, reports(case, translation.drafts))


def reports(case: Case, drafts: Drafts) -> Reports:
    if case.failing is None:
        return Reports()
    heard: list[Report] = []
    for key in drafts.binds:
        code, _, reason = case.failing.get(_name(key), "").partition(" ")
        heard.append(BindReport(drafts.serial, key, not code, reason, code))
    for host, answer in case.resolved.items():
        addresses, error = ((), answer) if isinstance(answer, str) else (tuple(answer), "")
        heard.append(NameReport(drafts.serial, host, addresses, error))
    return Reports().with_reports([*heard, Applied(drafts.serial)])


def _name(key: BindKey) -> str:
    return f"{key.address}:{key.port}/{key.transport}"


def _comments(text: str) -> dict[str, Any]:
    lines = [line[2:] for line in text.splitlines() if line.startswith(("# surroundings:", "# reports:", "# names:"))]
    return yaml.safe_load("\n".join(lines)) or {}


def _failing(comments: dict[str, Any]) -> dict[str, str] | None:
    given = comments.get("reports", {})
    return None if given == "none" else given


def _surroundings(given: dict[str, Any]) -> Surroundings:
    return Surroundings(
        addresses=tuple(given.get("addresses", ["192.0.2.10", "127.0.0.1", "::1"])),
        pool=tuple(ip_network(text) for text in given.get("pool", [])),
        allocations={tuple(name.split("/")): address for name, address in given.get("allocations", {}).items()},
        names={name: tuple(addresses) for name, addresses in given.get("names", {}).items()},
        reserved_ports=given.get("reserved", {}),
        denied_networks=tuple(ip_network(text) for text in given.get("denied", [])),
        denied_endpoints=frozenset((address, port) for address, port in given.get("denied_endpoints", [])),
        now=NOW,
    )


def _complete(document: dict[str, Any], position: int) -> None:
    """What the store would have filled in: generation, an age in the order of the file, certificates."""
    metadata = document["metadata"]
    metadata.setdefault("generation", 1)
    metadata.setdefault("creationTimestamp", f"2026-01-01T00:{position // 60:02}:{position % 60:02}Z")
    if wanted := document.pop("certificate", None):
        certificate, key = pair(**wanted)
        document["data"] = {"tls.crt": b64encode(certificate).decode(), "tls.key": b64encode(key).decode()}
    if name := document.pop("authority", None):
        certificate, _ = pair([name])
        text = certificate.decode() if document["kind"] == "ConfigMap" else b64encode(certificate).decode()
        document["data"] = {"ca.crt": text}
