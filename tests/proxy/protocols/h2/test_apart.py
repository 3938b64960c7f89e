"""Copies of inherited methods: code of one's own that does what the original does."""

from __future__ import annotations

from proxy.protocols.h2.apart import apart


class Root:
    def name(self) -> str:
        return "root"


class Base(Root):
    def name(self) -> str:
        return f"base of {super().name()}"

    def greet(self, word: str = "hello", *, twice: bool = False) -> str:
        """Say it."""
        return f"{word} {self.name()}" * (2 if twice else 1)


@apart
class Own(Base):
    def name(self) -> str:
        return "own, " + super().name()


def test_what_is_inherited_is_copied_and_what_is_not_is_left() -> None:
    assert Own.greet is not Base.greet and Own.greet.__code__ is not Base.greet.__code__
    assert Own.name.__qualname__ == "Own.name" and Base.greet.__qualname__ == "Base.greet"
    assert Own.greet.__doc__ == "Say it."
    assert "greet" in vars(Own) and "greet" not in vars(Root)


def test_a_copy_does_what_the_original_does() -> None:
    assert Own().greet(twice=True) == "hello own, base of root" * 2
    assert Base().greet("bye") == "bye base of root"
