"""What Kubernetes says of misspelt names in built-in kinds (k8s.io/apimachinery util/validation).

A name enters, the complaints about it leave, in the words that clients compare.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from store.errors import Cause
from store.schema.causes import cause
from store.schema.scalars import matcher

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DNS1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_DATA_KEY = "[-._a-zA-Z0-9]+"
_PORT_NAME = "[-a-z0-9]+"

_RUNS_OF = "must consist of lower case alphanumeric characters or '-'"


def _regex(text: str, pattern: str, *examples: str) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{text} (e.g. {shown}regex used for validation is '{pattern}')"


def label_errors(text: str) -> Iterator[str]:
    """A DNS label of RFC 1123."""
    if len(text) > 63:
        yield "must be no more than 63 bytes"
    if not matcher(f"^{_LABEL}$")(text):
        words = f"a lowercase RFC 1123 label {_RUNS_OF}, and must start and end with an alphanumeric character"
        yield _regex(words, _LABEL, "my-name", "123-abc")


def dns1035_errors(text: str) -> Iterator[str]:
    """A DNS label of RFC 1035, which starts with a letter."""
    if len(text) > 63:
        yield "must be no more than 63 bytes"
    if not matcher(f"^{_DNS1035}$")(text):
        words = (
            f"a DNS-1035 label {_RUNS_OF}, start with an alphabetic character, and end with an alphanumeric character"
        )
        yield _regex(words, _DNS1035, "my-name", "abc-123")


def subdomain_errors(text: str) -> Iterator[str]:
    """A DNS name of RFC 1123."""
    if len(text) > 253:
        yield "must be no more than 253 bytes"
    if not matcher(f"^{_SUBDOMAIN}$")(text):
        words = (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
            "and must start and end with an alphanumeric character"
        )
        yield _regex(words, _SUBDOMAIN, "example.com")


def data_key_errors(text: str) -> Iterator[str]:
    """A key in the data of a ConfigMap or Secret."""
    if len(text) > 253:
        yield "must be no more than 253 characters"
    if not matcher(f"^{_DATA_KEY}$")(text):
        words = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        yield _regex(words, _DATA_KEY, "key.name", "KEY_NAME", "key-name")
    if text == ".":
        yield "must not be '.'"
    elif text == "..":
        yield "must not be '..'"
    elif text.startswith(".."):
        yield "must not start with '..'"


def label_value_errors(text: str) -> Iterator[str]:
    """The value of a label."""
    if len(text) > 63:
        yield "must be no more than 63 bytes"
    if not matcher(f"^({_QUALIFIED})?$")(text):
        words = (
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
            "and must start and end with an alphanumeric character"
        )
        yield _regex(words, f"({_QUALIFIED})?", "MyValue", "my_value", "12345")


def port_name_errors(text: str) -> Iterator[str]:
    """The name of a port (RFC 6335)."""
    if len(text) > 15:
        yield "must be no more than 15 characters"
    if not matcher(f"^{_PORT_NAME}$")(text):
        yield "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    if not matcher("[a-z]")(text):
        yield "must contain at least one letter (a-z)"
    if "--" in text:
        yield "must not contain consecutive hyphens"
    if text.startswith("-") or text.endswith("-"):
        yield "must not begin or end with a hyphen"


def port_number_errors(number: int) -> Iterator[str]:
    """A port of TCP or UDP."""
    if not 1 <= number <= 65535:
        yield "must be between 1 and 65535, inclusive"


def qualified_name_errors(text: str) -> Iterator[str]:
    """A name with an optional DNS prefix, such as kubernetes.io/h2c."""
    prefix, slash, name = text.rpartition("/")
    if slash and not prefix:
        yield "prefix part must be non-empty"
    elif slash:
        yield from (f"prefix part {words}" for words in subdomain_errors(prefix))
    if not name:
        yield "name part must be non-empty"
    elif len(name) > 63:
        yield "name part must be no more than 63 bytes"
    if not matcher(f"^{_QUALIFIED}$")(name):
        words = (
            "name part must consist of alphanumeric characters, '-', '_' or '.', "
            "and must start and end with an alphanumeric character"
        )
        yield _regex(words, _QUALIFIED, "MyName", "my.name", "123-abc")


def ip_errors(text: str) -> Iterator[str]:
    """An IP address of either version."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        yield "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def complaints(field: str, value: object, errors: Iterator[str]) -> Iterator[Cause]:
    """Each complaint as a cause at a field."""
    for words in errors:
        yield cause("FieldValueInvalid", field, value, words)
