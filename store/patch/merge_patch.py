"""JSON merge patch (RFC 7386): a document and a patch in, a new document out."""

from __future__ import annotations

from typing import Any

from store.patch.errors import PatchError
from store.patch.json_values import check_depth, copied


def apply(document: Any, patch: Any) -> Any:
    """The document after the patch; null removes, objects merge, everything else replaces (section 2).

    Raises PatchError 400 when an object is patched with something else, which would replace it whole, or too deeply.
    """
    if isinstance(document, dict) and not isinstance(patch, dict):
        raise PatchError("Invalid JSON Patch", code=400)
    check_depth(patch)
    return _merged(document, patch)


def _merged(document: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return copied(patch)
    merged = {k: v if k in patch else copied(v) for k, v in document.items()} if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged
