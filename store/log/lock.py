"""The lock of a data folder: one process at a time, and a clear word to the second. Knows no database."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from store.log.contract import LogInUseError


class FolderLock:
    """An exclusive lock on a file that holds the pid of its holder; the kernel frees it when the process dies."""

    def __init__(self, path: Path) -> None:
        """Take the lock. Raises LogInUseError naming the holder when another process (or opener) has it."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise LogInUseError(f"the data folder {path.parent} is in use by process {holder}") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go. The file stays: deleting it would race with the next opener."""
        os.close(self._descriptor)
