"""Which texts a `format` accepts (k8s.io/kube-openapi strfmt). Formats that are not here are documentation only."""

from __future__ import annotations

import ipaddress
import uuid
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

import re2

_DATE_TIME = re2.compile(r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}([.,]\d+)?([Zz]|[+-]\d{2}:?\d{2})$")
_LABEL = "[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?"
_HOSTNAME = re2.compile(rf"^{_LABEL}(\.{_LABEL})*\.?$")
_DURATION = re2.compile(
    r"^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h|d|w)"
    r"(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h|d|w))*$|^0$"
)


def _succeeds(parse: Callable[[str], Any]) -> Callable[[str], bool]:
    def accepts(text: str) -> bool:
        try:
            parse(text)
        except (ValueError, Base64Error):
            return False
        return True

    return accepts


def _date_time(text: str) -> None:
    if not _DATE_TIME.search(text):
        raise ValueError(text)
    datetime.fromisoformat(text[:19].replace("t", "T"))


def _uri(text: str) -> None:
    if not urlsplit(text).scheme and not text.startswith("/"):
        raise ValueError(text)


FORMATS: Mapping[str, Callable[[str], bool]] = {
    "date-time": _succeeds(_date_time),
    "micro-time": _succeeds(_date_time),
    "date": _succeeds(date.fromisoformat),
    "ipv4": _succeeds(ipaddress.IPv4Address),
    "ipv6": _succeeds(lambda text: ipaddress.IPv6Address("" if "%" in text else text)),
    "cidr": _succeeds(lambda text: ipaddress.ip_interface(text) if "/" in text else date.fromisoformat(text)),
    "byte": _succeeds(lambda text: b64decode(text, validate=True)),
    "uuid": _succeeds(uuid.UUID),
    "hostname": lambda text: len(text) <= 255 and _HOSTNAME.search(text) is not None,
    "duration": lambda text: _DURATION.search(text) is not None,
    "uri": _succeeds(_uri),
}
