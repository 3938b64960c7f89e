"""Header lines, judged once: an exact line comes in, what it means to an intermediary goes out.

Most lines of most messages were seen before, so a verdict is remembered under the line's exact bytes, after one full
check of its grammar (RFC 9112 section 5). Names whose values never repeat (cookies, request ids) leave the memory: of
them only the name is looked up, because the scanner has already excluded control characters for the whole head.
A verdict of SLOW judges nothing: it sends the message to the referee.
"""

from __future__ import annotations

import re

from proxy.memo import Memo
from proxy.protocols.authority import host_name
from proxy.protocols.hop_by_hop import CONNECTION_FIELDS, NEVER_NOMINATED, in_disguise

PASS = 0
"""Travels on as it is."""
SLOW = 1
"""Not plainly recognised: the referee decides."""
DROP = 2
"""Belongs to this connection and says nothing new."""
CLOSE = 3
"""Connection: close."""
HOST = 4
FORWARDED = 5
"""One of the X-Forwarded fields or Forwarded: worth only what its sender is worth."""
AGENT = 6
"""User-Agent: travels on, and the access log shows it."""
DATE = 7
CHUNKED = 8
LENGTH = 16
"""Content-Length n is LENGTH + n."""

_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*").fullmatch
_LINE_LIMIT_BYTES = 512
_VALUES_BEFORE_FLUID = 64
_FLUID_NAMES_LIMIT = 1024


class Lines:
    """Verdicts for one direction. `verdicts.young` is read by the scanners; `judge` answers what it lacks.

    fluid: names, as spelt, whose values do not repeat; their lines travel on.
    """

    __slots__ = ("_counts", "_request", "fluid", "verdicts")

    def __init__(self, *, request: bool, limit: int = 8192) -> None:
        self._request = request
        self.verdicts: Memo[bytes, int] = Memo(limit)
        self.fluid: set[bytes] = set()
        self._counts: dict[bytes, int] = {}

    def judge(self, line: bytes) -> int:
        """The verdict for a line without its CRLF, in a head that is known to hold no control character but HTAB."""
        name, colon, _ = line.partition(b":")
        if colon and name in self.fluid:
            return PASS
        verdict = self.verdicts.recall(line)
        if verdict is None:
            verdict = self._judge(line)
        return verdict

    def _judge(self, line: bytes) -> int:
        match = _LINE(line)
        if match is None:
            return SLOW
        spelling, value = match[1], match[2]
        name = spelling.lower()
        verdict = self._verdict(name, value)
        if name in NEVER_NOMINATED and not is_plainly_spaced(line):
            verdict = SLOW  # not every reader takes a tab for a blank: the referee writes the line anew
        if verdict == PASS and self._is_fluid(spelling):
            return PASS
        if len(line) <= _LINE_LIMIT_BYTES:
            self.verdicts.remember(line, verdict)
        return verdict

    def _verdict(self, name: bytes, value: bytes) -> int:
        if name == b"content-length":
            return LENGTH + int(value) if value.isdigit() and len(value) <= 18 else SLOW
        if name == b"transfer-encoding":
            return CHUNKED if value.lower() == b"chunked" else SLOW
        if name == b"connection":
            return {b"keep-alive": DROP, b"close": CLOSE}.get(value.lower(), SLOW)
        if name in (b"keep-alive", b"proxy-connection") or in_disguise(name):
            return DROP
        if name in CONNECTION_FIELDS:
            return SLOW
        return self._request_verdict(name, value) if self._request else self._response_verdict(name)

    @staticmethod
    def _request_verdict(name: bytes, value: bytes) -> int:
        if name == b"host":
            return HOST if host_name(value) else SLOW
        if name == b"user-agent":
            return AGENT
        if name == b"forwarded" or name.startswith(b"x-forwarded-"):
            return FORWARDED
        return SLOW if name == b"expect" else PASS

    @staticmethod
    def _response_verdict(name: bytes) -> int:
        return DATE if name == b"date" else PASS

    def _is_fluid(self, spelling: bytes) -> bool:
        """Count a distinct value of a name; true once its values have shown that they do not repeat."""
        count = self._counts.get(spelling, 0)
        if count >= _VALUES_BEFORE_FLUID:
            if len(self.fluid) < _FLUID_NAMES_LIMIT:
                self.fluid.add(spelling)
            return True
        if count or len(self._counts) < _FLUID_NAMES_LIMIT:
            self._counts[spelling] = count + 1
        return False


def is_plainly_spaced(line: bytes) -> bool:
    """Whether a field line has at most one space before its value and nothing after it."""
    return line[line.index(b":") + 1 :].removeprefix(b" ") == line_value(line)


def line_name(line: bytes) -> bytes:
    """The lower-case field name of a well-formed line."""
    return line[: line.index(b":")].lower()


def line_value(line: bytes) -> bytes:
    """The field value of a well-formed line, without the blanks around it."""
    return line[line.index(b":") + 1 :].strip(b" \t")


REQUEST_LINES = Lines(request=True)
RESPONSE_LINES = Lines(request=False)
