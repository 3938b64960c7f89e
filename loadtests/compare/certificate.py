"""The certificate that every proxy shows: ECDSA P-256, one file for key and chain as each of them wants it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from certs.authority import Authority


@dataclass(frozen=True, slots=True)
class Certificate:
    """chain, key: PEM files; both: chain and key in one file, as HAProxy reads it."""

    chain: Path
    key: Path
    both: Path


def make_certificate(folder: Path, name: str) -> Certificate:
    """One for `name`, in `folder`; readable by proxies that drop their privileges."""
    bundle = Authority.open(folder).issue_server([name])
    made = Certificate(folder / "chain.pem", folder / "key.pem", folder / "both.pem")
    made.chain.write_bytes(bundle.certificate_pem)
    made.key.write_bytes(bundle.key_pem)
    made.both.write_bytes(bundle.certificate_pem + bundle.key_pem)
    return made
