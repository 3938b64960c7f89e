"""Asking clients for a certificate and taking whatever they show, or nothing.

`ssl` can demand a valid certificate or ask for none; OpenSSL can also ask and let a callback overrule its judgement,
which is reached through ctypes. Where that way is closed (another Python, OpenSSL linked in without its names) clients
are not asked: they get in all the same, which is what leniency promises.
"""

from __future__ import annotations

import _ssl
import ctypes
import functools
import logging
import ssl
import sys
from collections.abc import Callable

log = logging.getLogger(__name__)

_VERIFY_PEER = 1
_Judge = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)


_overrule = _Judge(lambda _judged_good, _store: 1)
"""SSL_verify_cb (OpenSSL): the handshake goes on whatever was found."""


def be_lenient(context: ssl.SSLContext) -> None:
    """Let every client of a new server context in, with any certificate that it holds the key of, or with none."""
    set_verify = _set_verify()
    if set_verify is None:
        context.verify_mode = ssl.CERT_NONE
        return
    # PySSLContext begins with the object's head and the SSL_CTX pointer (CPython, Modules/_ssl.c).
    pointer = ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value
    set_verify(pointer, _VERIFY_PEER, _overrule)


@functools.cache
def _set_verify() -> Callable[[int | None, int, object], None] | None:
    """SSL_CTX_set_verify of the OpenSSL that `ssl` itself uses."""
    found = None
    if sys.implementation.name == "cpython" and hasattr(_ssl, "__file__"):
        try:
            found = ctypes.CDLL(_ssl.__file__).SSL_CTX_set_verify
        except (OSError, AttributeError):
            found = None
    if found is None:
        log.warning("this Python's OpenSSL cannot be reached: clients are not asked for certificates that may be bad")
        return None
    found.argtypes = [ctypes.c_void_p, ctypes.c_int, _Judge]
    found.restype = None
    return found
