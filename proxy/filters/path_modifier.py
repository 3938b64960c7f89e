"""HTTPPathModifier: the path of a request and the prefix that matched come in, the new path goes out."""

from __future__ import annotations

from urllib.parse import quote

from proxy.snapshot.filters import PathModifier

_KEPT = "/%:@!$&'()*+,;=~-._"


def modified_path(modifier: PathModifier | None, path: bytes, prefix: bytes | None) -> bytes:
    """`path` as the modifier wants it.

    prefix: the matched PathPrefix without final slash (b"" for "/"); only with it kind "prefix" has a meaning,
    and without it the path stays. Whole segments are replaced: with "/foo" to "/xyz", "/foo/bar" becomes "/xyz/bar";
    with "/foo" to "/", "/foo/bar" becomes "/bar" (Gateway API HTTPPathModifier, table of ReplacePrefixMatch).
    """
    if modifier is None:
        return path
    if modifier.kind == "full":
        return encoded_path(modifier.value) or b"/"
    if prefix is None:
        return path
    rest = path[len(prefix) :]
    replaced = encoded_path(modifier.value).rstrip(b"/")
    if rest.startswith(b"/"):
        return replaced + rest
    return replaced + b"/" + rest if rest or not replaced else replaced


def encoded_path(value: str) -> bytes:
    """A path of a configuration as a request line can hold it: what it must not hold is percent-encoded."""
    return quote(value, safe=_KEPT).encode()
