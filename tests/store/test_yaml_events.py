"""libyaml's events, and what stands before its refusals."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

from store.yaml_events import events


def seen(text: str | bytes) -> tuple[list[yaml.Event], yaml.YAMLError]:
    """The events before the error, and the error."""
    found = []
    with pytest.raises(yaml.YAMLError) as raised:
        for event in events(text):
            found.append(event)
            if len(found) > 1500:  # releases before 0.2.6 take any depth
                raise yaml.YAMLError("deep enough")
    return found, raised.value


@pytest.mark.parametrize(
    "encode", [str, str.encode, lambda text: text.encode("utf-8-sig"), lambda text: text.encode("utf-16")]
)
def test_what_stands_before_a_refusal_that_looked_ahead_is_given(encode: Callable[[str], str | bytes]) -> None:
    found, _ = seen(encode("schlüssel: " + "[" * 2000))
    key, *opened = found[3:]
    assert isinstance(key, yaml.ScalarEvent)
    assert key.value == "schlüssel"
    assert len(opened) > 900
    assert all(isinstance(event, yaml.SequenceStartEvent) for event in opened)
    assert [event.start_mark.column for event in opened if event.start_mark] == list(range(11, 11 + len(opened)))


def test_what_a_refusal_cuts_is_not_given() -> None:
    found, error = seen("[[[[ab: 1, *cd@")
    assert [event.value for event in found if isinstance(event, yaml.ScalarEvent)] == ["ab", "1"]
    assert not any(isinstance(event, yaml.SequenceEndEvent | yaml.AliasEvent) for event in found)
    assert "cannot start any token" in str(error)
