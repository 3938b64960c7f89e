"""ExternalAuth: a request's lines come in, the question to the authority goes out, and what its answer means comes back
(GEP-1494).

Pure; it refuses to know how the question travels. Only 200 is a permission. A refusal that a client can do something
about (a challenge, a redirect to a login) is the client's answer; anything else is ours, for an authority that
cannot decide lets nobody pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from proxy.filters.header_edit import FRAMING_FIELDS, HeaderEdit
from proxy.filters.path_modifier import encoded_path
from proxy.protocols.h1_lines import line_name
from proxy.snapshot.filters import ExternalAuth

_ALWAYS_SENT = frozenset((b"authorization",))
_NEVER_SENT = FRAMING_FIELDS | {b"host", b"expect"}
_NEVER_COPIED = FRAMING_FIELDS | {
    *(b"host", b"date", b"server", b"content-type", b"content-encoding", b"via"),
    *(b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"),
}
"""Of a permission: what speaks of that message itself and not of the request, routes it (Host, which the API excludes),
or tells who asked."""


class Authority:
    """A compiled ExternalAuth. body_limit_bytes: as in the snapshot; host: what calls of it name."""

    __slots__ = ("_asked", "_copied", "_path", "body_limit_bytes", "cluster", "grpc", "host")

    def __init__(self, auth: ExternalAuth) -> None:
        self.cluster = auth.cluster
        self.host = auth.cluster.removesuffix("/http2").rpartition("/")[2].encode()
        self.grpc = auth.protocol == "grpc"
        self.body_limit_bytes = auth.body_limit_bytes
        self._path = encoded_path(auth.path)
        self._asked = frozenset(name.encode() for name in auth.request_headers)
        self._copied = frozenset(name.encode() for name in auth.response_headers)

    def target(self, target: bytes) -> bytes:
        """The target of the question, for that of the request."""
        return self._path + target if target.startswith(b"/") else self._path or b"/"

    def sent(self, lines: Iterable[bytes]) -> list[bytes]:
        """Those of the request's field lines that go along; framing and Host are made anew."""
        if self.grpc and not self._asked:
            return [line for line in lines if line_name(line) not in _NEVER_SENT]
        wanted = (self._asked if self.grpc else self._asked | _ALWAYS_SENT) - _NEVER_SENT
        return [line for line in lines if line_name(line) in wanted]

    def permission(self, lines: Sequence[bytes]) -> HeaderEdit:
        """What a permission does to the request's head. lines: the field lines of the answer.

        A field that the authority is to set is dropped from the request even where it sets none: nobody else may.
        """
        copied = [line for line in lines if self._copies(line_name(line))]
        return HeaderEdit({*self._copied, *map(line_name, copied)} - _NEVER_COPIED, copied)

    def _copies(self, name: bytes) -> bool:
        return name not in _NEVER_COPIED and (not self._copied or name in self._copied)


def is_permission(status: int) -> bool:
    """Whether the answer to an HTTP question lets the request pass."""
    return status == 200


def is_for_the_client(status: int) -> bool:
    """Whether the client gets the answer as it is. A 2xx that permits nothing would look as if it did."""
    return 300 <= status < 500


def compile_external_auth(auth: ExternalAuth) -> Authority:
    """The compiled form of an ExternalAuth."""
    return Authority(auth)
