"""RequestHeaderModifier: fields of the request set, added and removed before it is sent on."""

from __future__ import annotations

from proxy.filters.header_edit import HeaderEdit, modifier_edit
from proxy.snapshot.filters import RequestHeaderModifier


def compile_request_headers(modifier: RequestHeaderModifier) -> HeaderEdit:
    """The edit of request heads."""
    return modifier_edit(modifier.set, modifier.add, modifier.remove)
