"""Answers on their way to a client of HTTP/2: judged heads, payload and ends come in, frames of one stream go out."""

from __future__ import annotations

from proxy.filters.header_edit import NO_EDIT, HeaderEdit
from proxy.http.answers import date_line
from proxy.protocols.h1_response import ResponseHead
from proxy.protocols.h2.encoder import field
from proxy.protocols.h2.heads import response_block
from proxy.protocols.h2.stream import Stream


class H2Answers:
    """Writes the answer of one stream. The integers are bytes of header blocks and payload."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def interim(self, response: ResponseHead) -> None:
        """See Answers."""
        self._stream.head(header_block(response, NO_EDIT), False)

    def whole(self, response: ResponseHead, edit: HeaderEdit, payload: bytes) -> int:
        """See Answers."""
        block = header_block(response, edit)
        self._stream.head(block, not payload)
        if payload:
            self._stream.send(payload, True)
        return len(block) + len(payload)

    def head(self, response: ResponseHead, edit: HeaderEdit) -> int:
        """See Answers."""
        block = header_block(response, edit)
        self._stream.head(block, False)
        return len(block)

    def payload(self, payload: bytes) -> None:
        """See Answers."""
        self._stream.send(payload)

    def payload_end(self, payload: bytes, trailers: tuple[bytes, ...]) -> None:
        """See Answers."""
        if not trailers:
            self._stream.send(payload, True)
            return
        if payload:
            self._stream.send(payload)
        self._stream.trailers(trailers)


def header_block(response: ResponseHead, edit: HeaderEdit) -> bytes:
    """The header block. Heads are shared by answers that are alike, so what is sent of most is made once."""
    if edit.drops and edit.concerns(response.raw):
        block = response_block(edit.without_dropped(response.lines))
    else:
        if response.block is None:
            response.block = response_block(response.lines)
        block = response.block
    for line in edit.appends:
        block += field(line)
    if response.status >= 200 and not response.has_date:
        block += field(date_line())
    return block
