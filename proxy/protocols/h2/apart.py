"""Methods of one's own for a class: what it inherits is copied, so that the interpreter learns its types apart.

CPython keeps what it has learnt about a line of code (PEP 659: the type of `self`, where its attributes are) with the
code, for one type at a time. Code that two classes share by inheritance, and that runs for both in turns, is slow.
"""

from __future__ import annotations

from types import FunctionType
from typing import TypeVar

T = TypeVar("T")


def apart(cls: type[T]) -> type[T]:
    """A class decorator: `cls`, with copies of the functions of its bases. They say and do what the originals do."""
    for base in cls.__mro__[1:-1]:
        for name, value in vars(base).items():
            if isinstance(value, FunctionType) and getattr(cls, name) is value:
                copy = FunctionType(
                    value.__code__.replace(), value.__globals__, name, value.__defaults__, value.__closure__
                )
                copy.__kwdefaults__ = value.__kwdefaults__
                copy.__qualname__, copy.__doc__ = value.__qualname__, value.__doc__
                copy.__annotations__ = value.__annotations__
                setattr(cls, name, copy)
    return cls
