"""The refusals of server-side apply, each sentence with its place in the file."""

from __future__ import annotations

import pytest

from appliance.manifests.placing import place
from appliance.manifests.reader import read
from store.errors import StatusError
from store.kinds import registry
from store.patch.errors import PatchError
from store.patch.validity import check_configuration

HEAD = b"""\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: g}
spec:
  gatewayClassName: gatehouse
  listeners:
"""


def told(listeners: bytes) -> list[tuple[int, int, str, str]]:
    kind = registry.builtin().by_name("gateway.networking.k8s.io", "Gateway")
    assert kind is not None
    (document,) = read(HEAD + listeners).documents
    with pytest.raises(PatchError) as refusal:
        check_configuration(document.value, kind.versions[0].schema)
    problems = place(StatusError(400, "BadRequest", str(refusal.value)), document, HEAD + listeners)
    assert all(problem.object == "Gateway g" for problem in problems)
    return [(problem.line, problem.column, problem.field, problem.remedy) for problem in problems]


def test_one_unknown_field() -> None:
    assert told(b"  - {name: a, port: 80, protokol: HTTP}\n") == [
        (7, 25, 'spec.listeners[name="a"].protokol', "Remove the field, or correct its spelling.")
    ]


def test_several_sentences_of_every_sort() -> None:
    listeners = b"""\
  - {name: a, port: 80}
  - {name: a, port: 81}
  - {name: 'b: expected', port: '80', protokol: TCP}
  - {port: 1}
"""
    assert told(listeners) == [
        (6, 3, "spec.listeners", "Remove one of the two."),
        (
            9,
            27,
            'spec.listeners[name="b: expected"].port',
            "Write a value of the expected type; quote texts that look like numbers.",
        ),
        (9, 39, 'spec.listeners[name="b: expected"].protokol', "Remove the field, or correct its spelling."),
        (6, 3, "spec.listeners", "Correct the items of the list."),
    ]
