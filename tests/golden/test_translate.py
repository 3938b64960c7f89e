"""Every golden case of the translator: answers as recorded, in any order, with and without memory of before."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from appliance.gatewayapi.translate import Memo, translate
from proxy.snapshot.encoding import encode
from tests.golden.answer import render
from tests.golden.case import CASES, read, resources, run

INPUTS = sorted(CASES.glob("*/*.in.yaml"))
LINE_LIMIT = 150


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}/{path.name.removesuffix('.in.yaml')}")
def test_case(path: Path, regolden: bool) -> None:
    case = read(path)
    before = copy.deepcopy(case.objects)
    translation, statuses = run(case)
    text = render(translation.snapshot, statuses)
    answer = path.with_name(path.name.replace(".in.yaml", ".out.yaml"))
    if regolden:
        answer.write_text(text)
    assert answer.read_text() == text
    assert len(text.splitlines()) <= LINE_LIMIT, "an answer that nobody reads proves nothing"
    assert case.objects == before, "the translator wrote to its input"

    shuffled, shuffled_statuses = run(case, seed=7)
    assert render(shuffled.snapshot, shuffled_statuses) == text
    assert encode(shuffled.snapshot) == encode(translation.snapshot)


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}/{path.name.removesuffix('.in.yaml')}")
def test_memory_changes_no_answer(path: Path) -> None:
    """Objects that come one by one leave the answer as it is without memory; a second look changes nothing."""
    case = read(path)
    whole = resources(case.objects)
    plain, _ = run(case)
    memo = Memo()
    growing = resources([])
    for kind_resources in [list(whole.of(o["kind"]).values()) for o in case.objects]:
        for resource in kind_resources:
            growing.put(resource)
        translate(growing, case.surroundings, memo)
    first = translate(whole, case.surroundings, memo)
    second = translate(whole, case.surroundings, memo)
    assert encode(first.snapshot) == encode(plain.snapshot)
    assert second.snapshot is first.snapshot
    for before, after in (
        (first.drafts.finished, second.drafts.finished),
        (first.drafts.waiting, second.drafts.waiting),
    ):
        assert before.keys() == after.keys()
        assert all(after[key] is before[key] for key in before)


def test_every_answer_has_its_question() -> None:
    answers = {path.name.removesuffix(".out.yaml") for path in CASES.glob("*/*.out.yaml")}
    questions = {path.name.removesuffix(".in.yaml") for path in INPUTS}
    assert answers == questions
    assert len(INPUTS) == len(questions), "two cases of one name"
