"""What the order of a request's fields says, whatever their values: kinds come in, the places of what counts go out.

RFC 9113 section 8.3. Clients send fields of the same kinds in the same order again and again, with other values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Final

from proxy.memo import Memo
from proxy.protocols.h2 import names as kinds
from proxy.protocols.h2.fields import KIND, SECRET

NOWHERE: Final = -1
_STAYING = frozenset((kinds.SCHEME, kinds.TE, kinds.HOST, kinds.FORWARDED, kinds.DROP))
Pick = Callable[[Sequence[bytes]], Sequence[bytes]]


class Layout:
    """The places of a request's fields; of what must not be repeated it is NOWHERE when there is none.

    fault: why such a request is malformed, or "". lines: the fields that travel on, in their order; of cookies there is
    the first. types: content-types; grpc_timeout: the first. secrets: those of `lines` that came never indexed.
    secret_start: the method or the path did. complete: there are method, path and scheme. hosted: there is an authority
    or a host. whole: there are path and authority. plain: nothing is missing or to be put together or looked at twice:
    but for its request line, a head has the lines of the fields.
    in_order: picks, from the fields' lines and the request line behind them, those of the head of a plain request.
    carried: picks, from what fields are sent on as, that of a whole request that goes on as it came.
    """

    __slots__ = (
        "agent",
        "authority",
        "carried",
        "complete",
        "cookies",
        "expect",
        "fault",
        "forwarded",
        "grpc_timeout",
        "host",
        "hosted",
        "in_order",
        "length",
        "lines",
        "method",
        "path",
        "plain",
        "scheme",
        "secret_start",
        "secrets",
        "takes_trailers",
        "types",
        "whole",
    )

    def __init__(self, found: bytes) -> None:
        """found: the fields' kinds."""
        self.method = self.path = self.scheme = self.authority = NOWHERE
        self.host = self.agent = self.length = self.expect = NOWHERE
        self.grpc_timeout = NOWHERE
        self.types: list[int] = []
        self.lines: list[int] = []
        self.cookies: list[int] = []
        self.forwarded: list[int] = []
        self.takes_trailers = False
        self.fault = ""
        own = [kind & KIND for kind in found]
        for place in range(self._pseudo(own), len(own)):
            self._note(own[place], place)
        if self.method == NOWHERE and not self.fault:
            self.fault = "no method"
        secret = {place for place, kind in enumerate(found) if kind & SECRET}
        self.secrets = [place for place in self.lines if place in secret]
        self.secret_start = not secret.isdisjoint((self.method, self.path))
        self.complete = NOWHERE not in (self.method, self.path, self.scheme)
        self.hosted = (self.authority, self.host) != (NOWHERE, NOWHERE)
        self.whole = NOWHERE not in (self.authority, self.path)
        odd = kinds.ODD_METHOD in own or kinds.ODD_PATH in own
        alone = len(self.cookies) < 2 and self.host == NOWHERE and self.expect == NOWHERE
        public = not self.secret_start and self.authority not in secret
        self.plain = self.complete and self.whole and alone and public and not odd and not self.fault
        self.in_order = _picker([len(own), self.authority, *self.lines])
        self.carried = _picker([place for place, kind in enumerate(own) if kind not in _STAYING])

    def _pseudo(self, own: Sequence[int]) -> int:
        """Note the pseudo-header fields, which come first; the place of the first that is none."""
        for place, kind in enumerate(own):
            if kind in (kinds.METHOD, kinds.ODD_METHOD) and self.method == NOWHERE:
                self.method = place
            elif kind in (kinds.PATH, kinds.ODD_PATH) and self.path == NOWHERE:
                self.path = place
            elif kind == kinds.SCHEME and self.scheme == NOWHERE:
                self.scheme = place
            elif kind == kinds.AUTHORITY and self.authority == NOWHERE:
                self.authority = place
            else:
                return place
        return len(own)

    def _note(self, kind: int, place: int) -> None:
        """A field behind them."""
        if kind == kinds.TE:
            self.takes_trailers = True
        elif kind == kinds.COOKIE:
            if not self.cookies:
                self.lines.append(place)
            self.cookies.append(place)
        elif kind == kinds.FORWARDED:
            self.forwarded.append(place)
        elif kind == kinds.HOST:
            if self.host != NOWHERE:
                self.fault = "more than one host"
            self.host = place
        elif kinds.METHOD <= kind <= kinds.LAST_PSEUDO or kind == kinds.MALFORMED:
            self.fault = "a field that is not well formed, repeated, late, or not a request's"
        elif kind != kinds.DROP:
            self.lines.append(place)
            if kind == kinds.AGENT:
                self.agent = place
            elif kind == kinds.EXPECT:
                self.expect = place
            elif kind == kinds.TYPE:
                self.types.append(place)
            elif kind == kinds.GRPC_TIMEOUT:
                if self.grpc_timeout == NOWHERE:
                    self.grpc_timeout = place
            elif kind == kinds.LENGTH:
                if self.length != NOWHERE:
                    self.fault = "more than one content-length"
                self.length = place


LAYOUTS: Memo[bytes, Layout] = Memo(512)


def layout(found: bytes) -> Layout:
    """The layout of fields of these kinds."""
    known = LAYOUTS.young.get(found) or LAYOUTS.recall(found)
    if known is None:
        known = Layout(found)
        LAYOUTS.remember(found, known)
    return known


def _picker(places: Sequence[int]) -> Pick:
    if len(places) < 2:
        return lambda items: [items[place] for place in places]
    return itemgetter(*places)
