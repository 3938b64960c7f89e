"""Header fields of HTTP/2, judged once: a name and a value come in, what they mean to an intermediary goes out.

RFC 9113 sections 8.2 and 8.3. A field is shared by everything that holds it: tables, memories, heads.
"""

from __future__ import annotations

from typing import Final

from proxy.protocols.h1_request import TEXT
from proxy.protocols.h2.literals import LENGTHS, string
from proxy.protocols.h2.names import MALFORMED, Name

SECRET: Final = 32
"""Added to the kind of what came as never indexed."""
KIND: Final = SECRET - 1
"""What is the kind without it."""


_VISIBLE: Final = bytes(byte if byte in TEXT and byte not in b" \t" else ord("x") for byte in range(256))
"""A table that changes whatever is not visible: `bytes.translate` with it costs a third of what deleting would."""


class SecretLine(bytes):
    """A line whose field came never indexed, and must be sent on so (RFC 7541 section 7.1.3).

    It equals no plain line, so what is remembered of plain ones never answers for it.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretLine) and bytes.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return ~bytes.__hash__(self)


class Field:
    """One field. kind: of its name, or MALFORMED, and SECRET. size: as tables count it (RFC 7541 section 4.1).

    line: as HTTP/1.1 has it, a SecretLine when it came never indexed; hidden: what that is made of, only then.
    literal: how it is sent on, without a table.
    """

    __slots__ = ("about", "hidden", "kind", "line", "literal", "size", "value")

    def __init__(self, about: Name, value: bytes, never_indexed: bool = False) -> None:
        length = len(value)
        coded = LENGTHS[length] + value if length < 127 else string(value)
        self.about = about
        self.value = value
        self.size = about.size + length
        self.line = about.line + value
        self.literal = about.literal + coded
        self.kind = about.kind
        if not about.plain:
            if about.judge is not None:
                self.kind = about.judge(value)
            self.literal = about.wholes.get(value) or self.literal
        if value.translate(_VISIBLE) != value and (value.translate(None, TEXT) or value.strip(b" \t") != value):
            self.kind = MALFORMED
        if never_indexed:
            self.hidden = frozenset((self.line,))
            self.line = SecretLine(self.line)
            self.kind |= SECRET
            self.literal = about.never_indexed + coded

    @property
    def name(self) -> bytes:
        """In lower case, unless it is malformed."""
        return self.about.name
