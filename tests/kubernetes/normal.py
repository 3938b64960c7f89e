"""Output without what differs from run to run: ages, times, uids, revisions, addresses and column widths. Pure."""

from __future__ import annotations

import hashlib
import re

_REPLACEMENTS = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "UID"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"), "TIME"),
    (re.compile(r"\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [-+]\d{4}"), "TIME"),
    (re.compile(r"\b(resourceVersion\"?: ?)\"?\d+\"?"), r"\1RV"),
    (re.compile(r"\b(Resource Version: +)\d+"), r"\1RV"),
    (re.compile(r"\b(uid\"?: ?)\"?UID\"?"), r"\1UID"),
    (re.compile(r"https://127\.0\.0\.1:\d+"), "SERVER"),
    (re.compile(r"/tmp/(?:LIVE|MERGED)-\d+"), "DIR"),
    (re.compile(r"(?m)^([-+]{3} DIR\S+)\t.*$"), r"\1"),
    (re.compile(r"(?<=\s)(?:\d+[smhdy]){1,2}(?=\s|$)"), "AGE"),
    (re.compile(r"[ \t]{2,}"), "  "),
    (re.compile(r"(?m)[ \t]+$"), ""),
)
_FIELD = re.compile(r"^(?: +\S+\t<| +enum: |GROUP: |KIND: |VERSION: |FIELD: |FIELDS:)")


def normalise(text: str) -> str:
    """Text that is the same in every run against the same server."""
    for pattern, replacement in _REPLACEMENTS:
        text = pattern.sub(replacement, text)
    return text.strip()


def skeleton(explained: str) -> str:
    """`kubectl explain` without the descriptions: names, types, what is required, and enums."""
    return "\n".join(line.rstrip() for line in explained.splitlines() if _FIELD.match(line))


def digest(text: str) -> str:
    """Stands for a text that is not ours to keep."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
