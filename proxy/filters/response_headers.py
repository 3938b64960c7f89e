"""ResponseHeaderModifier: fields of the answer set, added and removed before the client gets it."""

from __future__ import annotations

from proxy.filters.header_edit import HeaderEdit, modifier_edit
from proxy.snapshot.filters import ResponseHeaderModifier


def compile_response_headers(modifier: ResponseHeaderModifier) -> HeaderEdit:
    """The edit of response heads."""
    return modifier_edit(modifier.set, modifier.add, modifier.remove)
