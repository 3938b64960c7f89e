"""What h2spec's JUnit report says. Pure: its bytes come in, a Tally goes out."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

CASES = 146
"""How many cases version 2.2.1 has in strict mode."""

_SAID = re.compile(r"(<(?P<tag>failure|error)>)(.*?)(</(?P=tag)>)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Case:
    """One that did not pass. section: such as http2/6.9.1. detail: what was expected and what came; "" when skipped."""

    section: str
    title: str
    detail: str

    def __str__(self) -> str:
        return f"{self.section} {self.title}: {self.detail or 'skipped'}"


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of a run."""

    passed: int
    failed: tuple[Case, ...]
    skipped: tuple[Case, ...]

    @property
    def whole(self) -> bool:
        """Every case of the strict mode ran and passed."""
        return self.passed == CASES and not self.failed and not self.skipped

    def __str__(self) -> str:
        return f"{self.passed}/{CASES} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"


def read(document: bytes) -> Tally:
    """Count. Raises ValueError for what is no report."""
    try:
        # It writes what a peer answered as it is, markup or not.
        root = ElementTree.fromstring(
            _SAID.sub(lambda match: match[1] + escape(match[3]) + match[4], document.decode())
        )
    except (ElementTree.ParseError, UnicodeDecodeError) as error:
        raise ValueError(f"not a report of h2spec: {error}") from None
    cases = list(root.iter("testcase"))
    failed, skipped = (tuple(_with(cases, *tags)) for tags in (("failure", "error"), ("skipped",)))
    return Tally(len(cases) - len(failed) - len(skipped), failed, skipped)


def _with(cases: list[ElementTree.Element], *tags: str) -> Iterator[Case]:
    for case in cases:
        for tag in tags:
            if (element := case.find(tag)) is not None:
                detail = " ".join("".join(element.itertext()).split())
                yield Case(case.get("package", ""), case.get("classname", ""), detail)
                break
