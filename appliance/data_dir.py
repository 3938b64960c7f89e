"""The data folder: who may read it and what lies in it.

A path comes in; a folder of mode 0700 goes out, or StartError. What the files mean is known by those who write
them.
"""

from __future__ import annotations

import os
from pathlib import Path

from appliance.problems import StartError

_SQLITE_HEADER = b"SQLite format 3\0"


class DataDir:
    """A data folder that is there, belongs to this user and is closed to all others.

    The store's log locks it; the authority keeps ca.crt, ca.key and the API's certificate in it.
    """

    def __init__(self, path: Path) -> None:
        """Raises StartError."""
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            why = f"data folder {path} cannot be made: {error.strerror}"
            raise StartError(f"{why}; name one with --data-dir that this user may write") from None
        self._check_folder()
        self._check_database()

    @property
    def database(self) -> Path:
        """The store's SQLite file."""
        return self.path / "gatehouse.db"

    @property
    def kubeconfig(self) -> Path:
        """What kubectl takes as it is."""
        return self.path / "kubeconfig"

    @property
    def token(self) -> Path:
        """The bearer token of the administrator, for curl."""
        return self.path / "token"

    @property
    def session_key(self) -> Path:
        """What session tokens are made with."""
        return self.path / "session.key"

    @property
    def folders(self) -> Path:
        """What is remembered of the manifest folders."""
        return self.path / "folders.json"

    def _check_folder(self) -> None:
        status = self.path.stat()
        if status.st_uid != os.geteuid():
            raise StartError(
                f"data folder {self.path} belongs to user {status.st_uid}, not to user {os.geteuid()} who runs this; "
                "run as its owner, or name another folder with --data-dir"
            )
        if status.st_mode & 0o077:
            raise StartError(
                f"data folder {self.path} is open to other users (mode {status.st_mode & 0o777:04o}), and it holds "
                f"keys; close it: chmod 700 {self.path}"
            )
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise StartError(f"data folder {self.path} is not writable; chmod 700 {self.path}, or check its mount")

    def _check_database(self) -> None:
        try:
            with self.database.open("r+b") as stream:
                header = stream.read(len(_SQLITE_HEADER))
        except FileNotFoundError:
            return
        except OSError as error:
            raise StartError(
                f"database {self.database} cannot be opened: {error.strerror}; correct its owner and mode (0600)"
            ) from None
        if header and header != _SQLITE_HEADER:
            raise StartError(
                f"{self.database} is no SQLite database; restore it from a backup, or move it away and start anew"
            )
