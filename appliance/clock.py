"""The time of day as the API writes it."""

from __future__ import annotations

import time


def rfc3339_now() -> str:
    """The time in UTC with whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
