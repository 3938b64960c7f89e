"""The workload runner: watches Deployments and Pods, makes Pods of the first and programs of the second."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from tests.conformance.workloads.client import follow
from tests.conformance.workloads.deployments import owned, plan
from tests.conformance.workloads.kubelet import Machine, PodRun

Json = dict[str, Any]
_LOG = logging.getLogger(__name__)
_NODE = "runner"


class Runner:
    """`run` until cancelled; then no Pod runs any more. programs: part of an image's name -> program."""

    def __init__(self, client: httpx.AsyncClient, scratch: Path, programs: Mapping[str, Path]) -> None:
        self._machine = Machine(client, scratch, programs)
        self._client = client
        self._deployments: dict[str, Json] = {}  # by uid
        self._pods: dict[str, Json] = {}
        self._runs: dict[str, tuple[PodRun, asyncio.Task[None]]] = {}
        self._numbers = count()  # none is used twice: neighbours remember whose an address was
        self._stale = asyncio.Event()

    async def run(self) -> None:
        """Follow the API for ever."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow("/apis/apps/v1/deployments", self._deployments))
                tasks.create_task(self._follow("/api/v1/pods", self._pods))
                tasks.create_task(self._work())
        finally:
            ending = [task for _, task in self._runs.values()]
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)

    def log(self, namespace: str, name: str, container: str, since_s: float) -> bytes | None:
        """What a Pod's container has printed; None where there is none such."""
        for uid, pod in self._pods.items():
            metadata = pod["metadata"]
            if (metadata["namespace"], metadata["name"]) == (namespace, name) and uid in self._runs:
                run = self._runs[uid][0]
                if container in ("", run.container) and run.sandbox is not None:
                    return run.sandbox.log(since_s)
        return None

    async def _follow(self, path: str, seen: dict[str, Json]) -> None:
        async for event, obj in follow(self._client, path):
            if event == "SYNC":
                seen.clear()
            elif event == "DELETED":
                seen.pop(obj["metadata"]["uid"], None)
            elif event != "SYNCED":
                seen[obj["metadata"]["uid"]] = obj
            if event != "SYNC":
                self._stale.set()

    async def _work(self) -> None:
        while True:
            await self._stale.wait()
            self._stale.clear()
            self._settle_pods()
            for deployment in list(self._deployments.values()):
                await self._settle_deployment(deployment)

    def _settle_pods(self) -> None:
        for uid in self._runs.keys() - self._pods.keys():
            self._runs.pop(uid)[1].cancel()
        for uid in self._pods.keys() - self._runs.keys():
            run = PodRun(self._machine, self._pods[uid], next(self._numbers))
            task = asyncio.create_task(run.run())
            task.add_done_callback(_ended)
            self._runs[uid] = (run, task)

    async def _settle_deployment(self, deployment: Json) -> None:
        if "deletionTimestamp" in deployment["metadata"]:
            return
        wanted = plan(deployment, [pod for pod in self._pods.values() if owned(deployment, pod)], _NODE)
        metadata = deployment["metadata"]
        pods = f"/api/v1/namespaces/{metadata['namespace']}/pods"
        for pod in wanted.create:
            answer = await self._client.post(pods, json=pod)
            if answer.status_code in (403, 404):  # the namespace is going, and the Deployment with it
                return
            made = answer.raise_for_status().json()
            self._pods[made["metadata"]["uid"]] = made
            self._stale.set()
        for name in wanted.delete:
            await self._client.delete(f"{pods}/{name}")
        if (deployment.get("status") or {}) != wanted.status:
            path = f"/apis/apps/v1/namespaces/{metadata['namespace']}/deployments/{metadata['name']}/status"
            answer = await self._client.put(path, json={**deployment, "status": wanted.status})
            if answer.status_code not in (200, 404, 409):  # gone, or another version of it is on its way
                answer.raise_for_status()


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _LOG.error("a Pod could not be run", exc_info=error)
