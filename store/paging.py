"""Lists: the resourceVersion and continue rules of a list request, pure (kubernetes.io: "API Concepts")."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import orjson

from store.errors import Cause
from store.refusals import bad_request, invalid
from store.verbs import ListOptions, WatchOptions

INCONSISTENT = -1
_DIGITS_LIMIT = 18  # what surely fits 64 bits; a store that writes for ever will not get there


@dataclass(frozen=True, slots=True)
class Continue:
    """Where a list goes on: at which revision (INCONSISTENT: at the newest) and beyond which (namespace, name)."""

    revision: int
    namespace: str
    name: str

    def token(self) -> str:
        """The text that clients hand back."""
        body = {"v": "meta.k8s.io/v1", "rv": self.revision, "start": f"{self.namespace}/{self.name}"}
        return base64.urlsafe_b64encode(orjson.dumps(body)).decode().rstrip("=")


def parse_continue(token: str) -> Continue:
    """The place that a token names. Raises StatusError 400."""
    try:
        body = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        namespace, _, name = body["start"].partition("/")
        if body["v"] != "meta.k8s.io/v1":
            raise ValueError(body["v"])
        return Continue(int(body["rv"]), namespace, name)
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise bad_request(f"continue key is not valid: {error}") from None


def parse_revision(text: str) -> int:
    """A resourceVersion as a number; 0 for "". Raises StatusError 422."""
    if not text:
        return 0
    if not text.isascii() or not text.isdigit():
        cause = Cause(
            "FieldValueInvalid",
            f'Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax',
            "resourceVersion",
        )
        raise invalid("ListOptions", "meta.k8s.io", "", (cause,))
    if len(text) > _DIGITS_LIMIT:
        raise bad_request(
            f'invalid resource version: resourceVersion: Invalid value: "{text[:64]}": '
            f'strconv.ParseUint: parsing "{text[:64]}": value out of range'
        )
    return int(text)


def check_list(options: ListOptions) -> None:
    """Refuse what contradicts itself. Raises StatusError 422 of kind ListOptions."""
    match = options.resource_version_match
    causes = []
    if match:
        if not options.resource_version:
            causes.append(_forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided"))
        if options.continue_:
            causes.append(_forbidden("resourceVersionMatch is forbidden when continue is provided"))
        if match not in ("Exact", "NotOlderThan"):
            message = f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan", ""'
            causes.append(Cause("FieldValueNotSupported", message, "resourceVersionMatch"))
        if match == "Exact" and options.resource_version == "0":
            causes.append(_forbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    if causes:
        raise invalid("ListOptions", "meta.k8s.io", "", causes)


def check_watch(options: WatchOptions) -> None:
    """The same for a watch."""
    match = options.resource_version_match
    causes = []
    if options.send_initial_events and match != "NotOlderThan":
        causes.append(_forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"))
    if match and not options.send_initial_events:
        causes.append(_forbidden("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"))
    if match and match != "NotOlderThan":
        message = f'Unsupported value: "{match}": supported values: "NotOlderThan"'
        causes.append(Cause("FieldValueNotSupported", message, "resourceVersionMatch"))
    if causes:
        raise invalid("ListOptions", "meta.k8s.io", "", causes)


def exact_revision(options: ListOptions) -> int | None:
    """The one revision that a list must show; None: any not older than asked will do."""
    asked = parse_revision(options.resource_version)
    if asked and (options.resource_version_match == "Exact" or (options.limit and not options.resource_version_match)):
        return asked
    return None


def _forbidden(message: str) -> Cause:
    return Cause("FieldValueForbidden", f"Forbidden: {message}", "resourceVersionMatch")
