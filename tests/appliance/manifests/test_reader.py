from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.manifests.building import ALIASED_NODES_LIMIT, DEPTH_LIMIT
from appliance.manifests.reader import describe, field_path, locate, place_of, read

HEAD = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\n"


def value_of(text: bytes) -> Any:
    (document,) = read(HEAD + b"data: " + text).documents
    return document.value["data"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"no", "no"),
        (b"on", "on"),
        (b"22:22", "22:22"),
        (b"2024-01-01", "2024-01-01"),
        (b"010", "010"),
        (b"0x1f", "0x1f"),
        (b"0o17", "0o17"),
        (b"1_000", "1_000"),
        (b".inf", ".inf"),
        (b".5", ".5"),
        (b"+1", "+1"),
        (b"true", True),
        (b"False", False),
        (b"~", None),
        (b"", None),
        (b"-7", -7),
        (b"1e3", 1000.0),
        (b"1.50", 1.5),
        (b"'1'", "1"),
        (b'"true"', "true"),
        (b"!!str 1", "1"),
        (b"!!float 1", 1.0),
        (b"|\n  a\n  b\n", "a\nb\n"),
        (b"{a: [1, {b: c}]}", {"a": [1, {"b": "c"}]}),
        (b"{80: x, true: y}", {"80": "x", "true": "y"}),
        (b"{a: &x [1], b: *x}", {"a": [1], "b": [1]}),
        (b"{a: &x {k: 1, l: 2}, b: {<<: *x, l: 3}}", {"a": {"k": 1, "l": 2}, "b": {"k": 1, "l": 3}}),
    ],
)
def test_scalars_have_the_types_of_json(text: bytes, value: Any) -> None:
    read_value = value_of(text)
    assert read_value == value
    assert type(read_value) is type(value)


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        (b"a: 1\nb: 2\na: 3\n", 'key "a" appears twice', 3, 1),
        (b"a:\n  b: 1\n  c: 2\n  b: 3\n", 'key "b" appears twice', 4, 3),
        (b"a: [1,\n", "not YAML", 2, 1),
        (b"a: b: c\n", "not YAML", 1, 5),
        (b"ok: 1\nbad: \xff\n", "not UTF-8", 2, 6),
        (b"a: !!python/object:os.system x\n", "tag tag:yaml.org,2002:python/object:os.system is not", 1, 4),
        (b"a: *nowhere\n", "alias *nowhere has no anchor yet", 1, 4),
        (b"a: &a [*a]\n", "alias *a has no anchor yet", 1, 8),
        (b"[1]: 2\n", "a key is no text", 1, 1),
        (b"a: 123456789012345678901\n", "does not fit 64 bits", 1, 4),
        (b"a: 1e999\n", "too large a number", 1, 4),
        (b"<<: 3\na: 1\n---\n{<<: [3]}\n", "<< merges something", 4, 9),
        (b"[" * 20_000, f"nested more than {DEPTH_LIMIT} deep", 1, DEPTH_LIMIT + 1),
        (b"- " * 20_000, f"nested more than {DEPTH_LIMIT} deep", 1, 2 * DEPTH_LIMIT + 1),
        (b"a: 1\nb: [\n" + b"[" * 20_000, f"nested more than {DEPTH_LIMIT} deep", 3, DEPTH_LIMIT - 1),
        (b"{" * 20_000, "a key is no text", 1, 2),
    ],
)
def test_a_file_that_is_not_readable_says_where(text: bytes, message: str, line: int, column: int) -> None:
    reading = read(text)
    (problem,) = reading.problems
    assert not reading.readable
    assert not reading.complete
    assert reading.documents == ()
    assert message in problem.message
    assert (problem.line, problem.column) == (line, column)
    assert problem.remedy


def test_a_bomb_of_aliases_is_refused_before_it_unfolds() -> None:
    levels = [b"a: &a [x,x,x,x,x,x,x,x,x]\n"]
    for level in range(1, 10):
        name, previous = bytes([97 + level]), bytes([96 + level])
        levels.append(name + b": &" + name + b" [" + b",".join([b"*" + previous] * 9) + b"]\n")
    (problem,) = read(b"".join(levels)).problems
    assert problem.message == f"aliases add more than {ALIASED_NODES_LIMIT} values"


def test_documents_and_lists_are_taken_apart_and_empty_documents_left_out() -> None:
    text = (
        HEAD
        + b"---\n# nothing here\n---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n"
        + b"  metadata: {name: s}\n---\napiVersion: v1\nkind: ServiceList\nitems:\n- metadata: {name: t}\n"
    )
    reading = read(text)
    assert reading.problems == ()
    assert [describe(document.value) for document in reading.documents] == ["ConfigMap b/a", "Secret s", "Service t"]
    assert [document.line for document in reading.documents] == [1, 10, 17]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"3\n", "a document is no mapping"),
        (b"kind: X\nmetadata: {name: a}\n", "an object has no apiVersion"),
        (b"apiVersion: v1\nmetadata: {name: a}\n", "an object has no kind"),
        (b"apiVersion: v1\nkind: X\n", "a X has no name"),
        (b"apiVersion: v1\nkind: X\nmetadata: {generateName: a}\n", "a X has no name"),
        (b"apiVersion: v1\nkind: X\nmetadata: {name: a, namespace: 3}\n", "metadata.namespace is no text"),
    ],
)
def test_a_document_that_names_no_object_leaves_the_others_and_makes_the_file_incomplete(
    text: bytes, message: str
) -> None:
    reading = read(HEAD + b"---\n" + text)
    assert [problem.message for problem in reading.problems] == [message]
    assert [problem.line for problem in reading.problems] == [5]
    assert len(reading.documents) == 1
    assert reading.readable
    assert not reading.complete


def test_a_field_is_found_or_its_nearest_ancestor() -> None:
    text = b"a: 1\n---\nspec:\n  rules:\n  - name: x\n    v: {q: 1}\n  - 4\n"
    assert locate(text, 1, ("spec", "rules", 0, "v", "q")) == (6, 9)
    assert locate(text, 1, ("spec", "rules", 1)) == (7, 5)
    assert locate(text, 1, ("spec", "rules", 0, "gone", 3)) == (5, 5)
    assert locate(text, 0, ("a",)) == (1, 1)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("spec.rules[0].matches[12]", ("spec", "rules", 0, "matches", 12)),
        ("metadata.labels[a.b/c]", ("metadata", "labels", "a.b/c")),
        (".spec.x", ("spec", "x")),
        ("", ()),
        ('.spec.listeners[name="a]b"].port', ("spec", "listeners", 'name="a]b"', "port")),
        ('metadata.annotations["a b"]', ("metadata", "annotations", "a b")),
    ],
)
def test_paths_of_causes_are_understood(text: str, path: tuple[str | int, ...]) -> None:
    assert field_path(text) == path


@pytest.mark.parametrize(
    ("field", "place"),
    [
        ('.spec.ports[port=81,protocol="TCP"].name', (7, 16)),
        ('.spec.ports[port=81,protocol="TCP"].gone', (7, 5)),
        (".spec.ports[port=82]", (5, 3)),
        ('.spec.tags[="b"]', (8, 13)),
        ("spec.ports[0].port", (6, 6)),
        ("spec.ports[9].port", (5, 3)),
    ],
)
def test_items_of_keyed_lists_are_found(field: str, place: tuple[int, int]) -> None:
    spec = b"spec:\n  ports:\n  - {port: 80, name: a}\n  - {port: 81, name: b}\n  tags: [a, b]\n"
    (document,) = read(text := HEAD + spec).documents
    assert place_of(document, text, field) == place


# JSON allows any code point in a string; YAML 1.2 (5.1) only printable ones, and DEL and C1 controls are refused.
_printable = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufeff\ufffe\uffff")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(_printable, max_size=8),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(_printable, max_size=5), children, max_size=3)
    ),
    max_leaves=12,
)


@given(json_values)
def test_json_reads_back_as_it_is(value: Any) -> None:
    text = (
        b'{"apiVersion":"v1","kind":"X","metadata":{"name":"a"},"data":'
        + json.dumps(value, ensure_ascii=False).encode()
        + b"}"
    )
    (document,) = read(text).documents
    assert document.value["data"] == value


@given(st.binary(max_size=200) | st.text(alphabet="{}[]:,&*!|>-?#'\"ab1 \n\t<", max_size=80).map(str.encode))
def test_any_bytes_give_an_answer(data: bytes) -> None:
    reading = read(data)
    assert reading.readable or reading.problems


def test_surrogate_pairs_of_json_are_one_character() -> None:
    """As json.dumps writes them; an escaped backslash before "u" is none, and half a pair is no text."""
    value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "\U0001f600 \\ud83d"}}
    reading = read(json.dumps(value, indent=1).encode())
    assert reading.documents[0].value == value
    half = json.dumps(value).replace("\\ude00", "").encode()
    assert not read(half).readable
    single = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '\\ud83d\\ude00'}\n"
    assert read(single).documents[0].value["data"] == {"x": "\\ud83d\\ude00"}
