"""What the sockets say: drafts and the proxy's reports in, finished statuses out. Pure.

Programmed is told by the data plane, never assumed. A report counts when it is of the serial that a draft speaks of,
or of a later one; about a socket that was there before, the last word counts since it has been there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from appliance.gatewayapi.conditions import Condition, bad, good
from appliance.gatewayapi.drafts import (
    BackendDraft,
    Draft,
    Drafts,
    GatewayDraft,
    ListenerDraft,
    ListenerSetDraft,
    Status,
)
from appliance.gatewayapi.problems import Problem, worst
from appliance.gatewayapi.resources import GATEWAY_GROUP, Key
from proxy.snapshot.clusters import Endpoint
from proxy.snapshot.listeners import BindKey
from proxy.snapshot.report import Applied, BindReport, EndpointReport, NameReport, Report

PENDING: Final = "the proxy has not taken over this configuration yet"
_REASONS: Final = {"EADDRNOTAVAIL": "AddressNotUsable"}


@dataclass(frozen=True, slots=True)
class Reports:
    """The latest report about each subject, and the latest serial that serves."""

    applied: int = 0
    binds: Mapping[BindKey, BindReport] = field(default_factory=dict)
    names: Mapping[str, NameReport] = field(default_factory=dict)

    def with_reports(self, reports: Iterable[Report]) -> Reports:
        """These and later ones, in the order in which they came."""
        applied, binds, names = self.applied, dict(self.binds), dict(self.names)
        for report in reports:
            match report:
                case Applied():
                    applied = max(applied, report.serial)
                case BindReport():
                    binds[report.key] = report
                case NameReport():
                    names[report.host] = report
                case EndpointReport():
                    pass  # health of endpoints is no part of any status
                case _:
                    assert_never(report)
        return Reports(applied, binds, names)

    def only(self, binds: Mapping[BindKey, int], names: frozenset[str]) -> Reports:
        """Without subjects that are gone, so that reports do not pile up."""
        return Reports(
            self.applied,
            {key: report for key, report in self.binds.items() if key in binds},
            {host: report for host, report in self.names.items() if host in names},
        )


def programmed(drafts: Drafts, reports: Reports) -> dict[Key, Status]:
    """The statuses of all drafts. Those that wait for no socket are passed through as the same objects."""
    return Finisher().finish(drafts, reports)


class Finisher:
    """`programmed` with a memory: a draft that is the same, and that no report speaks of anew, keeps its status."""

    def __init__(self) -> None:
        self._heard: tuple[Any, ...] = ()
        self._kept: dict[Key, tuple[Draft, bool, Status]] = {}

    def finish(self, drafts: Drafts, reports: Reports) -> dict[Key, Status]:
        """As programmed."""
        heard = (drafts.binds, reports.binds, reports.names)
        before = self._kept if heard == self._heard else {}
        self._heard, self._kept = heard, {}
        statuses = dict(drafts.finished)
        for key, draft in drafts.waiting.items():
            serves = isinstance(draft, BackendDraft) or reports.applied >= draft.since
            kept = before.get(key)
            if kept is None or kept[0] is not draft or kept[1] != serves:
                kept = (draft, serves, _finished(draft, drafts.binds, reports))
            self._kept[key] = kept
            statuses[key] = kept[2]
        return statuses


def _finished(draft: Draft, binds: Mapping[BindKey, int], reports: Reports) -> Status:
    match draft:
        case GatewayDraft():
            return _gateway(draft, binds, reports)
        case ListenerSetDraft():
            return _listener_set(draft, binds, reports)
        case BackendDraft():
            return backend_status(draft, reports)
        case _:
            assert_never(draft)


def _gateway(draft: GatewayDraft, binds: Mapping[BindKey, int], reports: Reports) -> Status:
    listeners = [(listener, _listener(listener, draft.since, binds, reports)) for listener in draft.listeners]
    conditions = [*draft.conditions, _summary(draft, [condition for _, condition in listeners], reports)]
    body: dict[str, Any] = {
        "addresses": [{"type": type_, "value": value} for type_, value in draft.addresses],
        "conditions": [condition.body(draft.generation) for condition in conditions],
        "listeners": [_listener_body(draft, listener, condition) for listener, condition in listeners],
        "attachedListenerSets": draft.attached_sets,
    }
    return Status(draft.key, draft.generation, body)


def _listener_set(draft: ListenerSetDraft, binds: Mapping[BindKey, int], reports: Reports) -> Status:
    listeners = [(listener, _listener(listener, draft.since, binds, reports)) for listener in draft.listeners]
    conditions = [*draft.conditions, _set_summary(draft, [condition for _, condition in listeners])]
    body: dict[str, Any] = {
        "conditions": [condition.body(draft.generation) for condition in conditions],
        "listeners": [_listener_body(draft, listener, condition) for listener, condition in listeners],
    }
    return Status(draft.key, draft.generation, body)


def _set_summary(draft: ListenerSetDraft, listeners: list[Condition]) -> Condition:
    """Of the whole ListenerSet, by its own Listeners alone: False as long as one that could be served is not."""
    if draft.refused is not None:
        return bad("Programmed", draft.refused)
    paired = [(d.name, c) for d, c in zip(draft.listeners, listeners, strict=True) if d.refused is None]
    failed = [(name, c) for name, c in paired if c.status == "False"]
    if failed:
        problems = tuple(Problem("PortUnavailable", f"listener {name}: {c.message}") for name, c in failed)
        return bad("Programmed", worst(problems) or problems[0])
    if any(condition.status == "Unknown" for _, condition in paired):
        return Condition("Programmed", "Unknown", "Pending", PENDING)
    return good("Programmed")


def _listener_body(
    draft: GatewayDraft | ListenerSetDraft, listener: ListenerDraft, programmed: Condition
) -> dict[str, Any]:
    return {
        "name": listener.name,
        "supportedKinds": [{"group": GATEWAY_GROUP, "kind": kind} for kind in listener.supported_kinds],
        "attachedRoutes": listener.attached_routes,
        "conditions": [condition.body(draft.generation) for condition in (*listener.conditions, programmed)],
    }


def _listener(listener: ListenerDraft, since: int, binds: Mapping[BindKey, int], reports: Reports) -> Condition:
    if listener.refused is not None:
        return bad("Programmed", listener.refused)
    heard = {key: reports.binds.get(key) for key in listener.binds}
    failed = [r for r in heard.values() if r is not None and not r.listening and r.serial >= binds[r.key]]
    if failed:
        problems = (Problem(_reason(report), _sentence(report)) for report in failed)
        return bad("Programmed", worst(tuple(problems)) or Problem("Invalid", ""))
    unheard = [key for key, report in heard.items() if report is None or report.serial < binds[key]]
    if unheard or reports.applied < since:
        return Condition("Programmed", "Unknown", "Pending", PENDING)
    return good("Programmed")


def _summary(draft: GatewayDraft, listeners: list[Condition], reports: Reports) -> Condition:
    """Of the whole Gateway: False as long as something of it that could be served is not."""
    if draft.refused is not None:
        return bad("Programmed", draft.refused)
    if draft.address_problem is not None:
        return bad("Programmed", draft.address_problem)
    paired = list(zip(draft.listeners, listeners, strict=True))
    failed = [(d.name, c) for d, c in paired if c.status == "False" and d.refused is None]
    if failed:
        reason = "AddressNotUsable" if failed[0][1].reason == "AddressNotUsable" else "NoResources"
        problems = tuple(Problem(reason, f"listener {name}: {condition.message}") for name, condition in failed)
        return bad("Programmed", worst(problems) or Problem(reason, ""))
    if all(d.refused is not None for d, _ in paired):
        message = "; ".join(f"listener {d.name}: {d.refused.message}" for d, _ in paired if d.refused)
        return bad("Programmed", worst((Problem("Invalid", message),)) or Problem("Invalid", ""))
    if any(condition.status == "Unknown" for condition in listeners) or reports.applied < draft.since:
        return Condition("Programmed", "Unknown", "Pending", PENDING)
    return good("Programmed")


def _reason(report: BindReport) -> str:
    return _REASONS.get(report.error_code, "PortUnavailable")


def _sentence(report: BindReport) -> str:
    address = report.key.address or "any address"
    return f"cannot listen on {address}, {report.key.transport} port {report.key.port}: {report.error}"


def backend_status(draft: BackendDraft, reports: Reports) -> Status:
    """What of a Backend's names is known; one that has none waits for no report."""
    resolved = [_resolved(endpoint, reports.names.get(endpoint.host)) for endpoint in draft.endpoints]
    body: dict[str, Any] = {
        "conditions": [_ready(draft, reports).body(draft.generation)],
        "resolved": resolved,
    }
    return Status(draft.key, draft.generation, body)


def _ready(draft: BackendDraft, reports: Reports) -> Condition:
    if draft.problem is not None:
        return bad("Ready", draft.problem)
    heard = {name: reports.names.get(name) for name in sorted(draft.names)}
    failed = (
        Problem("NameNotResolved", f"{name}: {r.error}") for name, r in heard.items() if r is not None and r.error
    )
    if (problem := worst(tuple(failed))) is not None:
        return bad("Ready", problem)
    if unheard := [name for name, report in heard.items() if report is None]:
        return Condition(
            "Ready", "Unknown", "Pending", f"not looked up, for no route uses it yet: {', '.join(unheard)}"
        )
    return good("Ready")


def _resolved(endpoint: Endpoint, report: NameReport | None) -> dict[str, Any]:
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    match endpoint.kind:
        case "unix":
            return {"endpoint": f"unix:{endpoint.host}"}
        case "ip":
            return {"endpoint": f"{host}:{endpoint.port}", "addresses": [endpoint.host]}
        case "name":
            found: dict[str, Any] = {"endpoint": f"{host}:{endpoint.port}"}
            if report is not None and report.addresses:
                found["addresses"] = list(report.addresses)
            if report is not None and report.error:
                found["message"] = report.error
            return found
