from __future__ import annotations

import pytest

from store.auth.authentication import User
from store.auth.authorization import Access, allows, require
from store.errors import StatusError

GROUP = "gateway.networking.k8s.io"


def test_administrators_may_do_everything() -> None:
    admin = User("root", ("system:masters", "system:authenticated"))
    for access in (Access("delete", "", "secrets", namespace="x", name="y"), Access("get", path="/metrics")):
        assert allows(admin, access)
        require(admin, access)


@pytest.mark.parametrize(
    ("access", "message"),
    [
        (
            Access("list", GROUP, "gateways", namespace="default"),
            (
                'gateways.gateway.networking.k8s.io is forbidden: User "bob" cannot list resource "gateways" '
                'in API group "gateway.networking.k8s.io" in the namespace "default"'
            ),
        ),
        (
            Access("get", "", "namespaces", name="x"),
            (
                'namespaces "x" is forbidden: User "bob" cannot get resource "namespaces" in API group "" '
                "at the cluster scope"
            ),
        ),
        (
            Access("patch", GROUP, "gateways", "status", "ns", "g"),
            (
                'gateways.gateway.networking.k8s.io "g" is forbidden: User "bob" cannot patch '
                'resource "gateways/status" in API group "gateway.networking.k8s.io" in the namespace "ns"'
            ),
        ),
        (Access("get", path="/metrics"), 'forbidden: User "bob" cannot get path "/metrics"'),
    ],
)
def test_others_may_do_nothing(access: Access, message: str) -> None:
    with pytest.raises(StatusError) as caught:
        require(User("bob", ("system:authenticated",)), access)
    assert (caught.value.code, caught.value.reason, caught.value.message) == (403, "Forbidden", message)
    assert (caught.value.kind, caught.value.group, caught.value.name) == (access.resource, access.group, access.name)
