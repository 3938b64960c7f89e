"""One authority for all tests of a process, and clients that trust it."""

from __future__ import annotations

import functools
import ssl
import tempfile
from pathlib import Path

from certs.authority import Authority
from certs.bundle import Bundle
from certs.contexts import client_context


@functools.cache
def authority() -> Authority:
    with tempfile.TemporaryDirectory() as folder:
        return Authority.open(Path(folder))


@functools.cache
def bundle(*names: str) -> Bundle:
    return authority().issue_server(names)


def trusting_client() -> ssl.SSLContext:
    return client_context(authority().ca_pem)
