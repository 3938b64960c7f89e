"""libyaml's events of a text, up to where it gives up: texts come in, events go out.

What the events make up, and how much of it is too much, is for the readers to say: bodies of requests and manifest
files read YAML by different rules. Newer releases of libyaml refuse deep nesting themselves, and do so while they look
ahead; the limits of the readers are lower, and here they hear of every event before the refusal, so that the same text
gets the same answer from every release.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator

import yaml
from yaml.scanner import ScannerError

_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def events(text: str | bytes) -> Iterator[yaml.Event]:
    """The events of all documents. Raises yaml.YAMLError and UnicodeDecodeError.

    Every whole event that stands before an error is given before it is raised: the scanner reads up to 1,024 characters
    ahead of its events, and those that it had not given yet are taken from the text cut off there.
    """
    given = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            given += 1
            yield event
    except ScannerError as error:
        if error.problem_mark is not None:
            yield from _whole(_characters(text)[: error.problem_mark.index], given)
        raise


def _whole(text: str, given: int) -> Iterator[yaml.Event]:
    """The events of a text that was cut off, without those `given` already and without what its end closed or cut."""
    try:
        for number, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
            if event.end_mark is None or event.end_mark.index >= len(text):
                return
            if number >= given:
                yield event
    except yaml.YAMLError:  # of the cut; the caller knows the real one
        return


def _characters(text: str | bytes) -> str:
    """What libyaml's marks count: characters after the byte order mark. The text is well encoded up to the mark."""
    if isinstance(text, str):
        return text
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if text.startswith(mark)), "utf-8")
    return text.decode(encoding, "replace")
