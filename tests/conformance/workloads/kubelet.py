"""One Pod's life: from its object to a program that listens, and back to nothing. Says in its status how it goes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.conformance.workloads import network
from tests.conformance.workloads.pod_files import MissingError, Sources, environment, files, needs
from tests.conformance.workloads.sandbox import Sandbox

Json = dict[str, Any]
_LOOK_S = 0.05
_AGAIN_S = 0.5
_READY_LOOKS = 2
_HOST_IP = str(network.PODS[1])


@dataclass(frozen=True, slots=True)
class Machine:
    """What all Pods share. programs: part of an image's name -> the program that stands for it."""

    client: httpx.AsyncClient
    scratch: Path
    programs: Mapping[str, Path]


def rfc3339_now() -> str:
    """The time in UTC with whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class PodRun:
    """`run` until cancelled; then everything of the Pod is gone from the machine. Pods have one container here."""

    def __init__(self, machine: Machine, pod: Json, number: int) -> None:
        self._machine = machine
        self._pod = pod
        self._number = number
        self._restarts = 0
        self._begun = rfc3339_now()
        self.sandbox: Sandbox | None = None

    @property
    def container(self) -> str:
        """The container's name."""
        return str(self._pod["spec"]["containers"][0]["name"])

    async def run(self) -> None:
        """Begin, and begin again whenever it ends."""
        namespace, address = await network.open_pod(self._number)
        try:
            while True:
                try:
                    await self._live(namespace, address)
                except MissingError as error:
                    await self._write_status(address, waiting=str(error))
                self._restarts += self.sandbox is not None
                await asyncio.sleep(_AGAIN_S)
        finally:
            if self.sandbox is not None:
                await self.sandbox.close()
            await network.close_pod(self._number)

    async def _live(self, namespace: str, address: str) -> None:
        """From the first look at its sources to the end of its program."""
        container = self._pod["spec"]["containers"][0]
        content = files(self._pod, container, await self._sources())
        sandbox = Sandbox(namespace, self._machine.scratch / self._pod["metadata"]["uid"], self._program(container))
        await asyncio.to_thread(sandbox.furnish, content)
        await sandbox.start(container.get("args") or (), environment(self._pod, container, address))
        self.sandbox = sandbox
        ended = asyncio.ensure_future(sandbox.wait())
        try:
            looks = 0
            while looks < _READY_LOOKS and not ended.done():
                await asyncio.sleep(_LOOK_S)
                looks = looks + 1 if sandbox.listens() else 0
            if not ended.done():
                await self._write_status(address, ready=True)
            code = await ended
            last = sandbox.log().decode(errors="replace").strip().rpartition("\n")[2]
            await self._write_status(address, waiting=f"exit code {code}: {last}")
        finally:
            ended.cancel()

    def _program(self, container: Json) -> Path:
        for part, program in self._machine.programs.items():
            if part in container["image"]:
                return program
        raise MissingError(f"no program stands for image {container['image']}")

    async def _sources(self) -> Sources:
        found: dict[str, dict[str, Json]] = {"configmaps": {}, "secrets": {}}
        for plural, name in needs(self._pod):
            path = f"/api/v1/namespaces/{self._pod['metadata']['namespace']}/{plural}/{name}"
            answer = await self._machine.client.get(path)
            if answer.status_code == 200:
                found[plural][name] = answer.json()
        return Sources(found["configmaps"], found["secrets"])

    async def _write_status(self, address: str, *, ready: bool = False, waiting: str = "") -> None:
        truth, now = str(ready), rfc3339_now()
        types = {"PodScheduled": "True", "Initialized": "True", "ContainersReady": truth, "Ready": truth}
        state = {"waiting": {"reason": "Waiting", "message": waiting}} if waiting else {"running": {"startedAt": now}}
        container = self._pod["spec"]["containers"][0]
        status = {
            "phase": "Running" if ready or self.sandbox is not None else "Pending",
            "hostIP": _HOST_IP,
            "podIP": address,
            "podIPs": [{"ip": address}],
            "startTime": self._begun,
            "conditions": [{"type": t, "status": s, "lastTransitionTime": now} for t, s in types.items()],
            "containerStatuses": [
                {
                    "name": container["name"],
                    "image": container["image"],
                    "ready": ready,
                    "restartCount": self._restarts,
                    "state": state,
                }
            ],
        }
        metadata = self._pod["metadata"]
        answer = await self._machine.client.patch(
            f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status",
            json={"metadata": {"uid": metadata["uid"]}, "status": status},
            headers={"Content-Type": "application/merge-patch+json"},
        )
        if answer.status_code not in (200, 404, 409):  # gone, or another Pod of the name: our end is on its way
            answer.raise_for_status()
