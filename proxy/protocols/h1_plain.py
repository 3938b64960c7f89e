"""Plain requests on one connection: received bytes come in; whether they are one whole plain request goes out.

This is what most traffic is made of, told apart at the least cost: HTTP/1.1, a path that hides nothing, header lines
that were judged before, and a whole sized body or none. The lines that a connection's requests begin with are judged
once and then compared as one. Like the scanner it only accepts; of what it does not, it says nothing.
"""

from __future__ import annotations

import re
from itertools import takewhile

from proxy.protocols.h1_lines import AGENT, DROP, FORWARDED, HOST, LENGTH, PASS, REQUEST_LINES
from proxy.protocols.h1_request import CRLF, END_OF_HEAD

# Paths without escapes, empty or dot segments, in targets that a log can show as they are. Possessive: one pass.
_IN_SEGMENT = rb"!$&'()*+,\-0-9:;=@A-Z\[\]^_`a-z{|}~"
_REQUEST_LINE = re.compile(
    rb"(GET|POST|PUT|DELETE|PATCH|OPTIONS) "
    rb"((?=/)((?:/[" + _IN_SEGMENT + rb"][." + _IN_SEGMENT + rb"]*+)*+/?)(?:\?[!$-\[\]-~]*+)?) HTTP/1\.1\r\n"
).match
_TEXT = re.compile(rb"[\t\x20-\x7e\x80-\xff]*+").fullmatch


class Leading:
    """Lines that heads begin with, judged. wire: with their line ends. sent: what travels on, joined; whole: all does.

    A length is not among them: it says something about one message. Nor is what is believed of some clients only.
    """

    __slots__ = ("agent", "count", "host_line", "sent", "whole", "wire")

    def __init__(self, lines: list[bytes]) -> None:
        lines = list(takewhile(lambda line: REQUEST_LINES.judge(line) in (PASS, HOST, AGENT, DROP), lines))
        verdicts = {line: REQUEST_LINES.judge(line) for line in lines}
        self.wire = b"".join(line + CRLF for line in lines)
        self.sent = CRLF.join(line for line in lines if verdicts[line] in (PASS, HOST, AGENT))
        self.whole = all(verdict != DROP for verdict in verdicts.values())
        self.count = len(lines)
        self.host_line = next((line for line in lines if verdicts[line] == HOST), b"")
        self.agent = next((line for line in reversed(lines) if verdicts[line] == AGENT), b"")


NOTHING = Leading([])


class PlainRequest:
    """The plain request that `scan` accepted last.

    line: its request line; groups 1 to 3 are method, target and path. leading: what it began with; rest: the lines
    after that, as received. head: all that travels on, without the empty line. end: where the head ends in the data.
    host_line, agent: those lines; no agent is b"".
    """

    __slots__ = ("_believing", "_count_limit", "_last", "_leading", "_limit_bytes", "agent", "end", "head", "host_line",
                 "leading", "line", "rest")  # fmt: skip

    line: re.Match[bytes]

    def __init__(self, limit_bytes: int, count_limit: int, *, believing: bool) -> None:
        """limit_bytes: of a head; count_limit: of its fields. believing: X-Forwarded lines are not to be dropped."""
        self._limit_bytes = limit_bytes
        self._count_limit = min(count_limit, 250)
        self._believing = believing
        self._leading = self.leading = NOTHING
        self._last: list[bytes] = []
        self.agent = self.head = self.host_line = self.rest = b""
        self.end = 0

    def scan(self, data: bytes) -> bool:
        """Whether `data` is one plain request, no more and no less."""
        line = _REQUEST_LINE(data)
        if line is None:
            return False
        start = line.end()
        leading = self._leading
        if data.startswith(leading.wire, start):
            start += len(leading.wire)
        else:
            leading = NOTHING
        end = len(data) - 4 if data.endswith(END_OF_HEAD) else data.find(END_OF_HEAD, start - 2)
        if end < start - 2 or end > self._limit_bytes:
            return False
        rest = data[start:end]
        lines = rest.split(CRLF) if end >= start else []
        if leading.count + len(lines) > self._count_limit:
            return False
        host_line, agent = leading.host_line, leading.agent
        verdicts, fluid = REQUEST_LINES.verdicts.young, REQUEST_LINES.fluid
        dropped = None
        length = -1
        for each in lines:
            verdict = verdicts.get(each)
            if not verdict:
                if verdict is None:
                    name, colon, value = each.partition(b":")
                    if not colon or name not in fluid or not _TEXT(value):
                        return False  # not judged yet, or odd: the scanner, or the referee, will see
            elif verdict == HOST and not host_line:
                host_line = each
            elif verdict == AGENT:
                agent = each
            elif verdict == DROP or (verdict == FORWARDED and not self._believing):
                dropped = [each] if dropped is None else [*dropped, each]
            elif verdict >= LENGTH and length < 0:
                length = verdict - LENGTH
            else:
                return False
        if not host_line or len(data) - end - 4 != (length if length > 0 else 0):
            return False
        self.line, self.rest, self.end = line, rest, end
        self.leading, self.host_line, self.agent = leading, host_line, agent
        self.head = data[:end] if dropped is None and leading.whole else self._travelling(data, lines, dropped or [])
        if leading is NOTHING:
            self._learn(lines)
        return True

    def _travelling(self, data: bytes, lines: list[bytes], dropped: list[bytes]) -> bytes:
        """The head without what belongs to this connection alone."""
        start, sent = data[: self.line.end() - 2], self.leading.sent
        return CRLF.join([start, *([sent] if sent else []), *(each for each in lines if each not in dropped)])

    def _learn(self, lines: list[bytes]) -> None:
        """Take the lines that this request and the one before begin with for what the next begins with."""
        same = takewhile(lambda pair: pair[0] == pair[1], zip(lines, self._last, strict=False))
        self._leading = Leading([line for line, _ in same])
        self._last = lines
