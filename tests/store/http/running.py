"""A whole API for tests: the real service on a temporary log, over TLS on a free port, on a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import ssl
import subprocess
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from certs.authority import Authority
from certs.contexts import server_context
from store.auth.authentication import Authenticator, User
from store.http.app import create_app
from store.http.server import ApiServer
from store.kinds.registry import builtin
from store.log.database import open_log
from store.service import Service

TOKEN = "secret-of-the-tests"
START_TIMEOUT_S = 30.0

T = TypeVar("T")


@dataclass
class Api:
    """A running API. folder: holds kubeconfig, ca.crt and a HOME for kubectl's cache."""

    folder: Path
    port: int
    authority: Authority
    service: Service
    server: ApiServer
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def kubeconfig(self) -> Path:
        """Of the administrator, by token."""
        return self.folder / "kubeconfig"

    @property
    def ca_file(self) -> Path:
        """The authority that clients must trust."""
        return self.folder / "ca.crt"

    def call(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine on the API's loop."""
        return asyncio.run_coroutine_threadsafe(make(), self.loop).result(START_TIMEOUT_S)

    def kubectl(self, *arguments: str, stdin: str = "", timeout_s: float = 60, **environment: str) -> Ran:
        """Run kubectl to its end."""
        done = subprocess.run(
            ["kubectl", *arguments],
            env=self.environment() | environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            cwd=self.folder,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def environment(self) -> dict[str, str]:
        """For a kubectl that shall talk to this API and to nothing else."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "KUBECONFIG": str(self.kubeconfig)}


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit status."""

    code: int
    out: str
    err: str

    def ok(self) -> str:
        """Standard output of a command that must succeed."""
        assert self.code == 0, self.err or self.out
        return self.out


@contextlib.contextmanager
def running_api(folder: Path) -> Iterator[Api]:
    """Start one, and stop it again; everything it needs lies in `folder`."""
    started = threading.Event()
    found: list[Api | BaseException] = []
    stop = threading.Event()

    def run() -> None:
        try:
            uvloop.run(_serve(folder, found, started, stop))
        except BaseException as error:
            found.append(error)
            started.set()

    thread = threading.Thread(target=run, name="api")
    thread.start()
    try:
        assert started.wait(START_TIMEOUT_S)
        api = found[0]
        if isinstance(api, BaseException):
            raise api
        yield api
    finally:
        stop.set()
        thread.join(START_TIMEOUT_S)
    assert len(found) == 1, found[1:]


async def _serve(
    folder: Path, found: list[Api | BaseException], started: threading.Event, stop: threading.Event
) -> None:
    (folder / "authority").mkdir(mode=0o700)
    authority = Authority.open(folder / "authority")
    (folder / "ca.crt").write_bytes(authority.ca_pem)
    service = await Service.open(open_log(folder / "log.db"), builtin())
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    authenticator = Authenticator({digest: User("admin", ("system:masters",))})
    context = server_context(authority.serving_bundle())
    context.load_verify_locations(cadata=authority.ca_pem.decode())
    context.verify_mode = ssl.CERT_OPTIONAL
    server = ApiServer(create_app(service, authenticator=authenticator), context, "127.0.0.1", 0)
    await server.start()
    try:
        api = Api(folder, server.port, authority, service, server, asyncio.get_running_loop())
        write_kubeconfig(api.kubeconfig, api, {"token": TOKEN})
        found.append(api)
        started.set()
        await asyncio.to_thread(stop.wait)
    finally:
        await server.stop()
        await service.close()


def write_kubeconfig(path: Path, api: Api, user: dict[str, str]) -> None:
    """A kubeconfig for this API; user: its credentials as kubeconfig names them."""
    cluster = {"server": api.url, "certificate-authority": str(api.ca_file)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": cluster}],
        "users": [{"name": "it", "user": user}],
    }
    path.write_text(json.dumps(config))
    path.chmod(0o600)
