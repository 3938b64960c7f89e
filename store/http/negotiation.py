"""What the client wants to read and what it has sent: Accept and Content-Type (RFC 9110 sections 12.5.1 and 8.3).

Header values and bodies come in; a Form (media type and view), decoded documents and patch types go out. Which views a
URL can give is its handler's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import orjson

from store.errors import StatusError
from store.http import protobuf, yaml_text
from store.http.errors import bad_request
from store.patch.json_values import deeper_than
from store.verbs import PatchType

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
YAML_LIMIT_BYTES = 1024 * 1024  # about five seconds of parsing, fifty times what JSON takes
DEPTH_LIMIT = 110  # what objects may have, and the paths that managedFields keep of one as deep as that

View = Literal["Object", "Table", "PartialObjectMetadata"]

_PATCH_TYPES: Mapping[str, PatchType] = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
}
_VIEWS: Mapping[str, View] = {
    "Table": "Table",
    "PartialObjectMetadata": "PartialObjectMetadata",
    "PartialObjectMetadataList": "PartialObjectMetadata",
}


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One element of an Accept header. parameters: without q, names in lower case."""

    media: str
    parameters: Mapping[str, str]
    quality: float = 1.0


@dataclass(frozen=True, slots=True)
class Form:
    """How to write an answer. version: of meta.k8s.io, for the views other than Object."""

    media: str = JSON
    view: View = "Object"
    version: str = "v1"


@lru_cache(maxsize=256)
def parse_accept(accept: str) -> tuple[MediaRange, ...]:
    """The elements, best first; elements of equal quality stay in the client's order. Empty means anything."""
    ranges = []
    for element in accept.split(",") if accept.strip() else ("*/*",):
        media, *rest = (part.strip() for part in element.split(";"))
        parameters = {
            name.strip().lower(): value.strip().strip('"') for name, _, value in (p.partition("=") for p in rest)
        }
        try:
            quality = float(parameters.pop("q", "1"))
        except ValueError:
            quality = 0.0
        if media and quality > 0:
            ranges.append(MediaRange(media.lower(), parameters, quality))
    return tuple(sorted(ranges, key=lambda r: -r.quality))


@lru_cache(maxsize=256)
def choose_form(accept: str) -> Form:
    """The form of an object, list or watch event. Raises StatusError 406."""
    for wanted in parse_accept(accept):
        media = _media_for(wanted.media)
        if media is None:
            continue
        transform = wanted.parameters.get("as")
        if transform is None:
            return Form(media)
        view = _VIEWS.get(transform)
        version = wanted.parameters.get("v", "")
        if view and wanted.parameters.get("g") == "meta.k8s.io" and version in ("v1", "v1beta1"):
            return Form(media, view, version)
    raise not_acceptable(JSON, YAML)


def not_acceptable(*offered: str) -> StatusError:
    """406 that names what could be had."""
    return StatusError(406, "NotAcceptable", f"only the following media types are accepted: {', '.join(offered)}")


def decode_body(content_type: str, body: bytes, kind: str) -> dict[str, Any]:
    """An object from a request body; no Content-Type means JSON. Raises StatusError 400 or 415.

    kind: of what is expected, for refusals.
    """
    media = _bare(content_type)
    if is_json(content_type):
        document = _json(
            body, f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; "
        )
    elif media == YAML:
        document = _yaml(body)
    elif media == PROTOBUF:
        try:
            document = protobuf.decode(body)
        except ValueError as error:
            raise bad_request(f"unable to decode the protobuf body: {error}") from None
        _refuse_depth(body, document)
    else:
        raise _unsupported(JSON, YAML, PROTOBUF)
    if not isinstance(document, dict):
        raise bad_request(f"the body of the request must be an object of type {kind}")
    return document


def is_json(content_type: str) -> bool:
    """Whether a body of this Content-Type is JSON; without one it is."""
    return _bare(content_type) in (JSON, "")


def decode_patch(content_type: str, body: bytes, *, custom: bool) -> tuple[PatchType, Any]:
    """A patch body and its type; custom kinds take no strategic merge patches. Raises StatusError 400, 413 or 415."""
    patch_type = _PATCH_TYPES.get(_bare(content_type))
    if patch_type is None or (custom and patch_type == "strategic"):
        raise _unsupported(*(m for m, t in _PATCH_TYPES.items() if not (custom and t == "strategic")))
    document = _yaml(body) if patch_type == "apply" else _json(body, "")
    if patch_type == "json":
        if not isinstance(document, list):
            raise bad_request("a JSON patch must be a list of operations")
    elif not isinstance(document, dict):
        raise bad_request("the body of the patch must be an object")
    return patch_type, document


def _json(body: bytes, context: str) -> Any:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"{context}json parse error: {error}") from None
    _refuse_depth(body, document)
    return document


def _refuse_depth(body: bytes, document: Any) -> None:
    """What is nested too deeply for the walks that follow; few bodies have brackets enough to need a look."""
    if body.count(b"[") + body.count(b"{") > DEPTH_LIMIT and deeper_than(DEPTH_LIMIT, document):
        raise bad_request(f"the body of the request is nested more than {DEPTH_LIMIT} levels deep")


def _yaml(body: bytes) -> Any:
    try:
        document = orjson.loads(body)  # most YAML bodies are JSON, and this reads them fifty times faster
    except orjson.JSONDecodeError:
        pass
    else:
        _refuse_depth(body, document)
        return document
    if len(body) > YAML_LIMIT_BYTES:
        message = f"YAML bodies may have {YAML_LIMIT_BYTES} bytes at most; larger ones are accepted as JSON"
        raise StatusError(413, "RequestEntityTooLarge", message)
    try:
        return yaml_text.load(body)
    except yaml_text.YamlError as error:
        raise bad_request(f"error decoding YAML: {error}") from None


def _bare(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _media_for(media: str) -> str | None:
    if media in (JSON, YAML):
        return media
    if media in ("*/*", "application/*"):
        return JSON
    return None


def _unsupported(*accepted: str) -> StatusError:
    return StatusError(
        415,
        "UnsupportedMediaType",
        f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}",
    )
