"""The C library's allocator, told to keep what it was given: TLS and bodies take and free large blocks all the time.

By default glibc gives large blocks back to the kernel and takes them anew; a megabyte through TLS then costs 374 page
faults, and half of the system time. It refuses to know what the memory is for.
"""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h
TRIM_BYTES = 128 << 20
MMAP_BYTES = 32 << 20


def keep_freed_memory() -> bool:
    """Set it for this process; False where the C library has no such setting. Harmless to repeat."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    mallopt.argtypes = (ctypes.c_int, ctypes.c_int)
    mallopt.restype = ctypes.c_int
    return bool(mallopt(M_TRIM_THRESHOLD, TRIM_BYTES) and mallopt(M_MMAP_THRESHOLD, MMAP_BYTES))
