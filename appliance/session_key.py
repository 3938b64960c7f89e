"""The key that session tokens are made with: kept in the data folder, so that sessions outlive a restart."""

from __future__ import annotations

import secrets

from appliance.data_dir import DataDir
from appliance.problems import StartError
from certs.authority import write_private

KEY_BYTES = 32


def open_session_key(data: DataDir) -> bytes:
    """The key, made at the first start. Raises StartError for a file that holds none."""
    try:
        key = data.session_key.read_bytes()
    except FileNotFoundError:
        key = secrets.token_bytes(KEY_BYTES)
        write_private(data.session_key, key)
        return key
    except OSError as error:
        raise StartError(f"{data.session_key} cannot be read ({error}); remove it, and a new one is made") from None
    if len(key) != KEY_BYTES:
        raise StartError(f"{data.session_key} holds no key of {KEY_BYTES} bytes; remove it, and a new one is made")
    data.session_key.chmod(0o600)
    return key
