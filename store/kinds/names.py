"""The spellings that Kubernetes names may have, as RE2 patterns, and the fields that many kinds share."""

from __future__ import annotations

from store.kinds.fields import integer, string
from store.schema.structural import Rule, Schema

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_PATH = r"[A-Za-z0-9\/\-._~%!$&'()*+,;=:]+"

LABEL = f"^{_LABEL}$"
SUBDOMAIN = f"^{_SUBDOMAIN}$"
SUBDOMAIN_OR_NOTHING = f"^$|^{_SUBDOMAIN}$"
SUBDOMAIN_OR_WILDCARD = rf"^(\*\.)?{_SUBDOMAIN}$"
KIND_NAME = "^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$"
DOMAIN_PATH = rf"^{_SUBDOMAIN}\/{_PATH}$"
PROTOCOL = rf"^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|{_SUBDOMAIN}\/[A-Za-z0-9]+$"
ADDRESS_TYPE = rf"^Hostname|IPAddress|NamedAddress|{_SUBDOMAIN}\/{_PATH}$"
LABEL_VALUE = "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"
LABEL_KEY = rf"^({_SUBDOMAIN}/)?([A-Za-z0-9][-A-Za-z0-9_.]{{0,61}})?[A-Za-z0-9]$"
CA_SET = rf"^(System|({_SUBDOMAIN}/([A-Za-z0-9][-A-Za-z0-9_.]{{0,61}})?[A-Za-z0-9]))$"
HEADER_NAME = r"^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$"
HEADER_VALUE = r"^[!-~]+([\t ]?[!-~]+)*$"
DURATION = "^([0-9]{1,5}(h|m|s|ms)){1,4}$"
CONDITION_TYPE = rf"^({_SUBDOMAIN}/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
CONDITION_REASON = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"
URL_PATH = "^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$"
URI = r"^(([^:/?#]+):)(//([^/?#]*))([^?#]*)(\?([^#]*))?(#(.*))?"
CORS_ORIGIN = r"(^\*$)|(^(http(s)?):\/\/(((\*\.)?([a-zA-Z0-9\-]+\.)*[a-zA-Z0-9-]+|\*)(:([0-9]{1,5}))?)$)"


def group(description: str = "API group that is meant; empty is the core group.", default: str | None = None) -> Schema:
    """An API group."""
    return string(description, pattern=SUBDOMAIN_OR_NOTHING, at_most=253, default=default)


def kind(description: str = "Kind that is meant.", default: str | None = None) -> Schema:
    """A kind."""
    return string(description, pattern=KIND_NAME, at_least=1, at_most=63, default=default)


def name(description: str = "Name of the object that is meant.") -> Schema:
    """An object's name, as far as a reference checks it."""
    return string(description, at_least=1, at_most=253)


def namespace(
    description: str = "Namespace of the object that is meant; the referring object's own if unset.",
) -> Schema:
    """A namespace."""
    return string(description, pattern=LABEL, at_least=1, at_most=63)


def section_name(description: str) -> Schema:
    """The name of a part of an object: a listener, a rule, a port."""
    return string(description, pattern=SUBDOMAIN, at_least=1, at_most=253)


def hostname(description: str) -> Schema:
    """A DNS name, perhaps with a wildcard as its first label."""
    return string(description, pattern=SUBDOMAIN_OR_WILDCARD, at_least=1, at_most=253)


def precise_hostname(description: str) -> Schema:
    """A DNS name without a wildcard."""
    return string(description, pattern=SUBDOMAIN, at_least=1, at_most=253)


def port_number(description: str) -> Schema:
    """A port of TCP or UDP."""
    return integer(description, format_="int32", at_least=1, at_most=65535)


def duration(description: str, *, default: str | None = None) -> Schema:
    """A duration such as 1h30m (GEP-2257)."""
    return string(description, pattern=DURATION, default=default)


def controller_name(description: str, *, rules: tuple[Rule, ...] = ()) -> Schema:
    """A controller: a domain and a path."""
    return string(description, pattern=DOMAIN_PATH, at_least=1, at_most=253, rules=rules)
