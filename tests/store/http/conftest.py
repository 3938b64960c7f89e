"""One API for all tests of this folder: each uses a namespace of its own."""

from __future__ import annotations

import itertools
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.store.http.running import TOKEN, Api, running_api

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A running API."""
    with running_api(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture
def namespace(client: httpx.Client) -> str:
    """A fresh namespace."""
    name = f"test-{next(_numbers)}"
    client.post("/api/v1/namespaces", json={"metadata": {"name": name}}).raise_for_status()
    return name


@pytest.fixture
def client(api: Api) -> Iterator[httpx.Client]:
    """A plain HTTP client with the administrator's token."""
    context = ssl.create_default_context(cafile=str(api.ca_file))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=api.url, verify=context, headers=headers, timeout=30) as client:
        yield client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """For a test's own files."""
    return tmp_path
