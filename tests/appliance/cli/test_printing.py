"""What `gatehouse status` prints of a summary: every reason, with the name of what has it, on any width."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from appliance.cli.printing import print_status

SUMMARY = {
    "server": "https://127.0.0.1:6443",
    "ready": ["[+]store ok", "[-]manifests failed: not all applied yet", "readyz check failed"],
    "gateways": [
        {
            "name": "default/web",
            "class": "gatehouse",
            "addresses": ["192.0.2.1"],
            "problems": [],
            "listeners": [
                {
                    "name": "http",
                    "protocol": "HTTP",
                    "port": 80,
                    "hostname": "*",
                    "routes": 0,
                    "problems": ["Programmed=False (PortUnavailable): Address already in use"],
                }
            ],
        }
    ],
    "listener_sets": [
        {
            "name": "team/more",
            "gateway": "default/web",
            "problems": ["Accepted=False (NotAllowed): Gateway default/web allows no ListenerSets from namespace team"],
            "listeners": [
                {
                    "name": "added",
                    "protocol": "HTTP",
                    "port": 81,
                    "hostname": "*",
                    "routes": 0,
                    "problems": [],
                }
            ],
        }
    ],
    "routes": [
        {
            "kind": "HTTPRoute",
            "name": "default/app",
            "hostnames": [],
            "parents": [],
            "backends": [],
            "problems": ["default/nowhere: the appliance serves no Gateway of this name"],
        }
    ],
    "policies": [
        {
            "kind": "BackendTLSPolicy",
            "name": "default/app",
            "targets": ["Service app"],
            "problems": ["default/web: Accepted=False (NoValidCACertificate): no ConfigMap"],
        }
    ],
    "backends": [],
    "endpoints": [
        {"backend": "backend/default/app", "address": "127.0.0.1:1", "problems": ["takes no connections (refused)"]}
    ],
    "files": [{"path": "/m/[a].yaml", "objects": 0, "problems": ["/m/[a].yaml:2:1: not YAML. Correct it."]}],
}


@pytest.mark.parametrize("width", [40, 80, 200])
def test_every_reason_is_a_line_of_its_own(width: int) -> None:
    text = io.StringIO()
    print_status(SUMMARY, "text", Console(file=text, width=width))
    lines = text.getvalue().splitlines()
    for line in (
        "https://127.0.0.1:6443: not ready",
        "  manifests failed: not all applied yet",
        "  default/web, listener http: Programmed=False (PortUnavailable): Address already in use",
        "  team/more: Accepted=False (NotAllowed): Gateway default/web allows no ListenerSets from namespace team",
        "  HTTPRoute default/app: default/nowhere: the appliance serves no Gateway of this name",
        "  BackendTLSPolicy default/app: default/web: Accepted=False (NoValidCACertificate): no ConfigMap",
        "  backend/default/app 127.0.0.1:1: takes no connections (refused)",
        "  /m/[a].yaml:2:1: not YAML. Correct it.",
        "6 problems",
    ):
        assert line in lines
