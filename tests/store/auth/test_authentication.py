from __future__ import annotations

import hashlib
from typing import Any

import pytest

from store.auth.authentication import Authenticator, User

ADMIN = User("admin", ("system:masters",))
TOKENS = {
    hashlib.sha256(b"secret-one").hexdigest(): ADMIN,
    hashlib.sha256(b"secret-two").hexdigest(): User("reader"),
}
CERTIFICATE: dict[str, Any] = {
    "subject": (
        (("organizationName", "ops"), ("organizationName", "night")),
        (("commonName", "eve"),),
        (("localityName", "x"),),
    )
}


@pytest.mark.parametrize(
    ("authorization", "certificate", "expected"),
    [
        ("Bearer secret-one", None, User("admin", ("system:masters", "system:authenticated"))),
        ("bearer   secret-two", None, User("reader", ("system:authenticated",))),
        ("Bearer secret-three", None, None),
        ("Bearer ", None, None),
        ("Bearer", None, None),
        ("Basic secret-one", None, None),
        ("secret-one", None, None),
        ("", None, None),
        ("", {}, None),
        ("Bearer secret-one secret-two", None, None),
        ("Bearer s\u00e9cret \u20ac", None, None),
        ("Bearer " + "x" * 100_000, None, None),
        ("", CERTIFICATE, User("eve", ("ops", "night", "system:authenticated"))),
        ("Bearer nonsense", CERTIFICATE, User("eve", ("ops", "night", "system:authenticated"))),
        ("", {"subject": ((("organizationName", "system:masters"),),)}, None),
        (
            "Bearer secret-one",
            {"subject": ((("organizationName", "x"),),)},
            User("admin", ("system:masters", "system:authenticated")),
        ),
    ],
)
def test_user_of_credentials(authorization: str, certificate: dict[str, Any] | None, expected: User | None) -> None:
    assert Authenticator(TOKENS).authenticate(authorization, certificate) == expected


def test_a_hash_is_no_token() -> None:
    digest = next(iter(TOKENS))
    assert Authenticator(TOKENS).authenticate(f"Bearer {digest}", None) is None


def test_tokens_must_be_hashes() -> None:
    with pytest.raises(ValueError, match="hex"):
        Authenticator({"secret-one": ADMIN})
