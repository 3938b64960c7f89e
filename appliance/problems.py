"""Why an appliance does not start, in a sentence."""

from __future__ import annotations


class StartError(Exception):
    """Something outside is not as it must be. The text is one line: what, where, and the way out; no traceback."""
