"""Programmed is what the sockets say: which reports count, and for how long."""

from __future__ import annotations

from typing import Any

from appliance.gatewayapi.drafts import Drafts
from appliance.gatewayapi.programmed import Finisher, Reports, programmed
from appliance.gatewayapi.resources import Key, Objects, Resource
from appliance.gatewayapi.surroundings import Surroundings
from appliance.gatewayapi.translate import Memo, translate
from proxy.snapshot.listeners import BindKey
from proxy.snapshot.report import Applied, BindReport, NameReport, Report

WEB = BindKey("", 80, "tcp")
ALT = BindKey("", 81, "tcp")


def gateway(*ports: int, generation: int = 1, name: str = "web") -> Resource:
    listeners = [{"name": f"p{port}", "port": port, "protocol": "HTTP"} for port in ports]
    body = {
        "metadata": {"name": name, "namespace": "default", "generation": generation},
        "spec": {"gatewayClassName": "gatehouse", "listeners": listeners},
    }
    return Resource(Key("Gateway", "default", name), body)


def objects() -> Objects:
    body = {"metadata": {"name": "gatehouse"}, "spec": {"controllerName": "gatehouse.dev/gateway-controller"}}
    return Objects([Resource(Key("GatewayClass", "", "gatehouse"), body)])


class Machine:
    """Objects, a memory and what was heard."""

    def __init__(self) -> None:
        self.objects = objects()
        self.memo = Memo()
        self.reports = Reports()
        self.drafts: Drafts | None = None
        self.finisher = Finisher()

    def put(self, resource: Resource) -> int:
        self.objects.put(resource)
        translation = translate(self.objects, Surroundings(addresses=("192.0.2.1",)), self.memo)
        self.drafts = translation.drafts
        return translation.snapshot.serial

    def hear(self, *reports: Report) -> None:
        self.reports = self.reports.with_reports(reports)

    def shown(self) -> dict[str, str]:
        """Status and reason of Programmed, of the Gateway ("") and its listeners; as a finisher says that remembers."""
        assert self.drafts is not None
        remembered = self.finisher.finish(self.drafts, self.reports)
        fresh = programmed(self.drafts, self.reports)
        assert {key: s.body for key, s in remembered.items()} == {key: s.body for key, s in fresh.items()}
        body = remembered[Key("Gateway", "default", "web")].body
        parts: dict[str, Any] = {"": body} | {listener["name"]: listener for listener in body["listeners"]}
        return {
            name: f"{condition['status']} {condition['reason']}"
            for name, part in parts.items()
            for condition in part["conditions"]
            if condition["type"] == "Programmed"
        }


def test_pending_until_the_proxy_has_taken_over() -> None:
    machine = Machine()
    serial = machine.put(gateway(80))
    assert machine.shown() == {"": "Unknown Pending", "p80": "Unknown Pending"}
    machine.hear(BindReport(serial, WEB, True))
    assert machine.shown()[""] == "Unknown Pending"
    machine.hear(Applied(serial))
    assert machine.shown() == {"": "True Programmed", "p80": "True Programmed"}


def test_a_report_of_an_older_snapshot_tells_nothing_of_a_new_socket() -> None:
    machine = Machine()
    first = machine.put(gateway(80))
    machine.hear(BindReport(first, WEB, True), BindReport(first, ALT, True), Applied(first))
    second = machine.put(gateway(80, 81))
    assert machine.shown()["p81"] == "Unknown Pending"
    machine.hear(BindReport(second, WEB, True), BindReport(second, ALT, True), Applied(second))
    assert machine.shown() == {"": "True Programmed", "p80": "True Programmed", "p81": "True Programmed"}


def test_what_does_not_concern_a_gateway_leaves_it_programmed() -> None:
    machine = Machine()
    first = machine.put(gateway(80))
    machine.hear(BindReport(first, WEB, True), Applied(first))
    machine.put(gateway(90, name="other"))
    assert machine.shown()[""] == "True Programmed"


def test_a_socket_that_listens_after_a_retry_is_programmed() -> None:
    machine = Machine()
    serial = machine.put(gateway(80, 81))
    failed = BindReport(serial, WEB, False, "Address already in use", "EADDRINUSE")
    machine.hear(failed, BindReport(serial, ALT, True), Applied(serial))
    assert machine.shown() == {"": "False NoResources", "p80": "False PortUnavailable", "p81": "True Programmed"}
    machine.hear(BindReport(serial, WEB, True))
    assert machine.shown()[""] == "True Programmed"


def test_an_edit_without_effect_on_sockets_is_programmed_at_once() -> None:
    machine = Machine()
    serial = machine.put(gateway(80))
    machine.hear(BindReport(serial, WEB, True), Applied(serial))
    assert machine.put(gateway(80, generation=2)) == serial
    assert machine.shown()[""] == "True Programmed"


def test_a_name_counts_whatever_the_serial_it_was_told_for() -> None:
    machine = Machine()
    body = {
        "metadata": {"name": "db", "namespace": "default", "generation": 1},
        "spec": {"endpoints": [{"hostname": "db.test", "port": 5432}]},
    }
    machine.put(gateway(80))
    machine.put(Resource(Key("Backend", "default", "db"), body))
    machine.hear(NameReport(1, "db.test", ("192.0.2.7",)))
    for port in (81, 82):  # later snapshots do not repeat what has not changed
        machine.hear(Applied(machine.put(gateway(port))))
    assert machine.drafts is not None
    machine.reports = machine.reports.only(machine.drafts.binds, frozenset({"db.test"}))
    status = programmed(machine.drafts, machine.reports)[Key("Backend", "default", "db")].body
    assert [(c["type"], c["status"]) for c in status["conditions"]] == [("Ready", "True")]
    assert status["resolved"] == [{"endpoint": "db.test:5432", "addresses": ["192.0.2.7"]}]


def test_what_no_report_speaks_of_anew_keeps_its_status() -> None:
    machine = Machine()
    serial = machine.put(gateway(80))
    machine.hear(BindReport(serial, WEB, True), Applied(serial))
    assert machine.drafts is not None
    key = Key("Gateway", "default", "web")
    before = machine.finisher.finish(machine.drafts, machine.reports)[key]
    machine.hear(Applied(serial + 1))
    assert machine.finisher.finish(machine.drafts, machine.reports)[key] is before
    machine.hear(BindReport(serial, WEB, False, "Address already in use", "EADDRINUSE"))
    assert machine.finisher.finish(machine.drafts, machine.reports)[key] is not before
