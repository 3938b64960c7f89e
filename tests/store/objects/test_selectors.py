"""Selectors: grammar, meaning, error texts (recorded from the words of Kubernetes)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.objects.field_selectors import Fields, parse_fields
from store.objects.label_selectors import Labels, labels_of, parse_labels
from store.objects.selector_error import SelectorError

LABELS = {"app": "web", "tier": "front", "n": "5", "empty": ""}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("app", True),
        ("!app", False),
        ("!nothing", True),
        ("app=web", True),
        ("app==web", True),
        ("app = web , tier=front", True),
        ("app=web,tier=back", False),
        ("app!=web", False),
        ("nothing!=web", True),
        ("app in (web, api)", True),
        ("app in (api)", False),
        ("app notin (api)", True),
        ("nothing notin (api)", True),
        ("empty=", True),
        ("empty", True),
        ("app=", False),
        ("app in (,)", False),
        ("empty in (,web)", True),
        ("n>4", True),
        ("n>5", False),
        ("n<6,n>4", True),
        ("app>4", False),
        ("example.com/key", False),
        ("in in (in)", False),
    ],
)
def test_label_selectors(text: str, matches: bool) -> None:
    assert Labels(parse_labels(text)).match(LABELS) is matches


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("app in", "unable to parse requirement: found '' expected: '('"),
        ("app in (web", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("=web", "found '=', expected: !, identifier, or 'end of string'"),
        ("app=web,", "found '', expected: identifier after ','"),
        ("app=web tier", "found 'tier', expected: ',' or 'end of string'"),
        ("app web", "unable to parse requirement: found 'web', expected: in, notin, =, ==, !=, gt, lt"),
        ("app==(", "unable to parse requirement: found '(', expected: identifier"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
    ],
)
def test_what_is_wrong_with_a_label_selector(text: str, message: str) -> None:
    with pytest.raises(SelectorError) as error:
        parse_labels(text)
    assert str(error.value) == message


def test_label_selectors_as_objects() -> None:
    selector = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["front"]},
            {"key": "n", "operator": "Exists"},
            {"key": "nothing", "operator": "DoesNotExist"},
            {"key": "app", "operator": "NotIn", "values": ["api"]},
        ],
    }
    assert Labels(labels_of(selector)).match(LABELS)


OBJECT = {"metadata": {"name": "g", "namespace": "n"}, "involvedObject": {"kind": "Pod"}, "type": "Normal"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("metadata.name=g", True),
        ("metadata.name==h", False),
        ("metadata.name!=h,metadata.namespace=n", True),
        ("involvedObject.kind=Pod,type=Normal,reason=", True),
        (r"metadata.name=a\,b", False),
    ],
)
def test_field_selectors(text: str, matches: bool) -> None:
    assert Fields(parse_fields(text, "events", False)).match(OBJECT) is matches


@pytest.mark.parametrize(
    ("text", "custom", "message"),
    [
        ("spec.x=1", True, "field label not supported: spec.x"),
        (
            "spec.x=1",
            False,
            '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        ("name", True, "invalid selector: 'name'; can't understand 'name'"),
    ],
)
def test_what_is_wrong_with_a_field_selector(text: str, custom: bool, message: str) -> None:
    with pytest.raises(SelectorError) as error:
        parse_fields(text, "things.example.com", custom)
    assert str(error.value) == message


TERMS = ["a=b", "a!=b", "a", "!a", "a in (b,c)", "a notin (b,c)", "a>1", "a<5", "b=c", "b!=c", "!b", "b>2"]


@given(st.lists(st.sampled_from(TERMS), max_size=6), st.dictionaries(st.sampled_from("ab"), st.sampled_from("bc134")))
def test_terms_together_mean_what_each_means_alone(terms: list[str], labels: dict[str, str]) -> None:
    together = Labels(parse_labels(",".join(terms))).match(labels)
    assert together is all(Labels(parse_labels(term)).match(labels) for term in terms)


def test_many_terms_do_not_cost_a_look_each() -> None:
    looks = 0

    class Counting(dict[str, str]):
        def get(self, key: str, default: object = None) -> object:  # type: ignore[override]
            nonlocal looks
            looks += 1
            return super().get(key, default)

    terms = parse_labels(",".join(f"k{i}!=v,!z{i},a notin (x{i})" for i in range(2_000)))
    assert Labels(terms).match(Counting(a="b", c="d"))
    assert looks <= 4
