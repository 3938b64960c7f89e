"""`gatehouse run --demo`: everything in a temporary folder, commands to paste, and nothing left at the end."""

from __future__ import annotations

import dataclasses
import shlex
import shutil
import socket
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from appliance.compose import run
from appliance.demo.backend import EchoBackend
from appliance.demo.objects import TLS_NAME, Listeners, manifest
from appliance.problems import StartError
from appliance.settings import Settings
from appliance.settings_values import HostPort
from certs.authority import Authority
from certs.contexts import server_context

_DRAIN_S = 1.0
_LAST_PORT = 65535


def run_demo(settings: Settings, *, explicit_data_dir: bool) -> int:
    """Run the demo until Ctrl-C; the exit code. Raises StartError."""
    if explicit_data_dir or settings.manifests:
        raise StartError("--demo keeps everything in a temporary folder; leave out --data-dir and --manifests")
    listeners = Listeners.from_first(settings.demo_port)
    _check_free(listeners, settings.demo_port)
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-demo-"))
    try:
        return _run_in(folder, settings, listeners)
    finally:
        shutil.rmtree(folder)


def _run_in(folder: Path, settings: Settings, listeners: Listeners) -> int:
    data, manifests, certificates = (folder / name for name in ("data", "manifests", "backend"))
    for made in (data, manifests, certificates):
        made.mkdir(mode=0o700)
    bundle = Authority.open(certificates).issue_server([TLS_NAME])
    chosen = dataclasses.replace(
        settings,
        data_dir=data,
        manifests=(manifests,),
        drain_timeout_s=min(settings.drain_timeout_s, _DRAIN_S),
        log_level="warning" if settings.log_level == "info" else settings.log_level,
    )
    with EchoBackend(server_context(bundle)) as backend:
        (manifests / "demo.yaml").write_text(manifest(listeners, backend.ports))
        return run(chosen, lambda api: print_guide(Console(highlight=False), folder, listeners, api))


def _check_free(listeners: Listeners, first: int) -> None:
    """The appliance would report a taken port in a condition; a person at a terminal is told at once."""
    if first + 3 > _LAST_PORT:
        raise StartError(f"the demo takes four ports from {first} on; choose a lower --demo-port")
    for port, kind in (
        (listeners.http, socket.SOCK_STREAM),
        (listeners.tls, socket.SOCK_STREAM),
        (listeners.tcp, socket.SOCK_STREAM),
        (listeners.udp, socket.SOCK_DGRAM),
    ):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))
            except OSError as error:
                raise StartError(
                    f"port {port} cannot be had ({error.strerror}), and the demo takes {first} to {first + 3}; choose "
                    f"other ports: gatehouse run --demo --demo-port {18080 if first != 18080 else 28080}"
                ) from None


def commands(folder: Path, listeners: Listeners, api: HostPort) -> list[tuple[str, str]]:
    """What to paste: (what it shows, the command)."""
    data = folder / "data"
    python = shlex.quote(sys.executable)
    web_socket = (
        "from websockets.sync.client import connect\n"
        f"with connect('ws://127.0.0.1:{listeners.http}/') as c: c.send('hello'); print(c.recv())"
    )
    tcp = (
        "import socket; "
        f"s = socket.create_connection(('127.0.0.1', {listeners.tcp}), 5); s.sendall(b'hello'); print(s.recv(99))"
    )
    udp = (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5); "
        f"s.sendto(b'hello', ('127.0.0.1', {listeners.udp})); print(s.recv(99))"
    )
    kubectl = f"kubectl --kubeconfig {shlex.quote(str(data / 'kubeconfig'))}"
    kinds = "gatewayclasses,gateways,httproutes,tlsroutes,tcproutes,udproutes,backends,manifestfiles"
    passthrough = (
        f"curl --cacert {shlex.quote(str(folder / 'backend' / 'ca.crt'))} "
        f"--resolve {TLS_NAME}:{listeners.tls}:127.0.0.1 https://{TLS_NAME}:{listeners.tls}/hello"
    )
    rest = (
        f"curl --cacert {shlex.quote(str(data / 'ca.crt'))} "
        f'-H "Authorization: Bearer $(cat {shlex.quote(str(data / "token"))})" '
        f"https://{api}/apis/gateway.networking.k8s.io/v1/httproutes"
    )
    return [
        ("HTTP, with a header that the route adds", f"curl http://127.0.0.1:{listeners.http}/hello"),
        ("WebSocket, on the same port", f'{python} -c "{web_socket}"'),
        ("TLS passthrough: the certificate is the backend's own", passthrough),
        ("TCP", f'python3 -c "{tcp}"'),
        ("UDP", f'python3 -c "{udp}"'),
        ("The API, with kubectl", f"{kubectl} get {kinds}"),
        ("The API, with curl", rest),
        ("The same at a glance", f"{python} -m appliance status --data-dir {shlex.quote(str(data))}"),
    ]


def print_guide(console: Console, folder: Path, listeners: Listeners, api: HostPort) -> None:
    """What is where, and what to try."""
    console.print("\n[bold]The gateway is up.[/bold] Everything it knows lies in", str(folder), soft_wrap=True)
    console.print(f"  its configuration: {folder / 'manifests' / 'demo.yaml'} (edit it and watch)", soft_wrap=True)
    console.print(f"  its API:           https://{api}\n", soft_wrap=True)
    for what, command in commands(folder, listeners, api):
        console.print(f"[dim]# {what}[/dim]", soft_wrap=True)
        console.print(command, soft_wrap=True, markup=False)
    console.print("\nThe access log follows. Ctrl-C ends the demo and leaves nothing behind.\n", soft_wrap=True)
