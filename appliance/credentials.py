"""How clients get in: the administrator's token, and the kubeconfig that carries it.

The authority's certificate and the API's address come in; files of mode 0600 and the hash that the API compares go out.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import os
import re
import secrets

import yaml

from appliance.data_dir import DataDir
from appliance.problems import StartError
from appliance.settings_values import HostPort
from certs.authority import write_private

_TOKEN_BYTES = 32


def open_token(data: DataDir) -> str:
    """The administrator's token, made at the first start."""
    try:
        token = data.token.read_text().strip()
    except FileNotFoundError:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        write_private(data.token, token.encode() + b"\n")
        return token
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{data.token} cannot be read ({error}); remove it, and a new one is made") from None
    if not re.fullmatch(r"[\x21-\x7e]{16,}", token):
        raise StartError(f"{data.token} holds no token of at least 16 characters; remove it, and a new one is made")
    data.token.chmod(0o600)
    return token


def token_hash(token: str) -> str:
    """What the API keeps of a token: its SHA-256 in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def reachable_host(bind: HostPort) -> str:
    """The address by which a client on this machine reaches the API."""
    address = ipaddress.ip_address(bind.host)
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "::1"
    return bind.host


def server_names(bind: HostPort) -> tuple[str, ...]:
    """The names that the API's certificate carries."""
    names = ["localhost", "127.0.0.1", "::1", bind.host, os.uname().nodename.lower()]
    usable = [name for name in names if name not in ("0.0.0.0", "::", "") and re.fullmatch(r"[0-9a-z.:-]{1,253}", name)]
    return tuple(dict.fromkeys(usable))


def write_kubeconfig(data: DataDir, ca_pem: bytes, bind: HostPort, token: str) -> None:
    """Put the kubeconfig in place."""
    server = f"https://{HostPort(reachable_host(bind), bind.port)}"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "gatehouse",
                "cluster": {"server": server, "certificate-authority-data": base64.b64encode(ca_pem).decode()},
            }
        ],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "gatehouse", "context": {"cluster": "gatehouse", "user": "admin"}}],
        "current-context": "gatehouse",
    }
    write_private(data.kubeconfig, yaml.safe_dump(content, sort_keys=False).encode())
