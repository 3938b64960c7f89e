"""Names: what may be a name, a namespace, a label key or value, in the words of Kubernetes; and names that we generate.

Every function returns the list of what is wrong, empty when nothing is (kubernetes.io: "Object Names and IDs").
"""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Callable

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
GENERATED_BASE_LIMIT = 58

_LABEL_1123 = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN_1123 = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"

QUALIFIED_NAME_MESSAGE = (
    "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', "
    f"regex used for validation is '{_QUALIFIED}') with an optional DNS subdomain prefix and '/' "
    "(e.g. 'example.com/MyName')"
)

Check = Callable[[str], list[str]]


def _checked(text: str, pattern: str, limit: int, message: str, examples: str) -> list[str]:
    errors = []
    if len(text) > limit:
        errors.append(f"must be no more than {limit} bytes")
    if not re.fullmatch(pattern, text):
        errors.append(f"{message} (e.g. {examples}, regex used for validation is '{pattern}')")
    return errors


def subdomain_errors(name: str) -> list[str]:
    """RFC 1123 subdomain: the rule for most names."""
    return _checked(
        name,
        _SUBDOMAIN_1123,
        253,
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
        "and must start and end with an alphanumeric character",
        "'example.com'",
    )


def label_1123_errors(name: str) -> list[str]:
    """RFC 1123 label: namespaces."""
    return _checked(
        name,
        _LABEL_1123,
        63,
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
        "and must start and end with an alphanumeric character",
        "'my-name',  or '123-abc'",
    )


def label_1035_errors(name: str) -> list[str]:
    """RFC 1035 label: services."""
    return _checked(
        name,
        _LABEL_1035,
        63,
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
        "start with an alphabetic character, and end with an alphanumeric character",
        "'my-name',  or 'abc-123'",
    )


def path_segment_errors(name: str) -> list[str]:
    """What any name must satisfy, because it stands in a URL."""
    if name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{illegal}'" for illegal in "/%" if illegal in name]


def qualified_name_errors(key: str) -> list[str]:
    """[PREFIX/]NAME: keys of labels and annotations, finalizers."""
    parts = key.split("/")
    if len(parts) > 2:
        return [QUALIFIED_NAME_MESSAGE]
    errors = []
    if len(parts) == 2:
        if not parts[0]:
            errors.append("prefix part must be non-empty")
        else:
            errors.extend(f"prefix part {error}" for error in subdomain_errors(parts[0]))
    name = parts[-1]
    if not name:
        errors.append("name part must be non-empty")
    elif len(name) > 63:
        errors.append("name part must be no more than 63 bytes")
    if not re.fullmatch(_QUALIFIED, name):
        errors.append(
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
            "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', "
            f"regex used for validation is '{_QUALIFIED}')"
        )
    return errors


def label_value_errors(value: str) -> list[str]:
    """The value of a label."""
    return _checked(
        value,
        _LABEL_VALUE,
        63,
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
        "and must start and end with an alphanumeric character",
        "'MyValue',  or 'my_value',  or '12345'",
    )


NAME_CHECKS: dict[str, Check] = {
    "namespaces": label_1123_errors,
    "services": label_1035_errors,
    "roles.rbac.authorization.k8s.io": path_segment_errors,
    "rolebindings.rbac.authorization.k8s.io": path_segment_errors,
    "clusterroles.rbac.authorization.k8s.io": path_segment_errors,
    "clusterrolebindings.rbac.authorization.k8s.io": path_segment_errors,
}


def name_errors(resource: str, name: str) -> list[str]:
    """What is wrong with an object's name, by its resource."""
    return NAME_CHECKS.get(resource, subdomain_errors)(name)


def prefix_errors(resource: str, prefix: str) -> list[str]:
    """What is wrong with a generateName: a trailing dash is fine, characters follow it."""
    if len(prefix) > 1 and prefix.endswith("-"):
        prefix = prefix[:-1] + "a"
    return name_errors(resource, prefix)


# Uids must differ, they need not be secret; asking the kernel each time would cost more than the rest of a create.
_chance = random.Random()


def new_uid() -> str:
    """A fresh uid (RFC 9562 version 4)."""
    return str(uuid.UUID(int=_chance.getrandbits(128), version=4))


def generated(prefix: str) -> str:
    """The prefix, cut where it must, and five random characters."""
    return prefix[:GENERATED_BASE_LIMIT] + "".join(_chance.choices(ALPHABET, k=5))
