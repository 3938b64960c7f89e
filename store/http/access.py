"""Who may come in: no browsers, no strange Host names, nobody without a token or client certificate.

The head of a request comes in; it goes on with scope["user"], or StatusError 401 or 403 is raised. There are no
cookies and no CORS answers, so a page in a browser has nothing to lean on.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from store.auth.authentication import User
from store.auth.authorization import Access, require
from store.errors import StatusError

OPEN_PATHS = frozenset({"/livez", "/readyz", "/healthz", "/version", "/version/"})
# Every user may see what there is; what may be done with it is decided where the resource is known.
_API_ROOTS = ("/api", "/openapi", "/version")


class Authenticator(Protocol):
    """store.auth.authentication.Authenticator, as far as it is needed here."""

    def authenticate(self, authorization: str, certificate: Mapping[str, Any] | None) -> User | None: ...


class AccessLayer:
    """Checks Host and Origin, then authenticates. hosts: names of the server, beside its addresses."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator, hosts: Collection[str]) -> None:
        self._app = app
        self._authenticator = authenticator
        self._hosts = frozenset(name.lower() for name in hosts) | {"localhost"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if b"origin" in headers or headers.get(b"sec-fetch-site", b"none") != b"none":
            raise _forbidden("requests made by web pages are refused")
        if not self._known_host(headers.get(b"host", b"").decode("latin-1")):
            raise _forbidden("the Host of the request is not a name of this server")
        if scope["path"] not in OPEN_PATHS:
            certificate = scope.get("state", {}).get("client_certificate")
            user = self._authenticator.authenticate(headers.get(b"authorization", b"").decode("latin-1"), certificate)
            if user is None:
                raise StatusError(401, "Unauthorized", "Unauthorized")
            if not scope["path"].startswith(_API_ROOTS):
                require(user, Access(scope["method"].lower(), path=scope["path"]))
            scope["user"] = user
        await self._app(scope, receive, send)

    def _known_host(self, host: str) -> bool:
        """Addresses always pass: rebinding attacks need a name."""
        name = _name_of(host)
        return name in self._hosts or _is_address(name)


@lru_cache(maxsize=64)
def _name_of(host: str) -> str:
    """The Host header without port, brackets and final dot."""
    name = host.lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return (name.partition(":")[0] if name.count(":") == 1 else name).rstrip(".")


@lru_cache(maxsize=64)
def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _forbidden(message: str) -> StatusError:
    return StatusError(403, "Forbidden", message)
