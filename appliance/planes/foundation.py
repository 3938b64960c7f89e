"""What the control plane stands on: the store and the authority in the data folder, and the addresses it answers at.

Each function raises StartError, with what to do about it, for what an operator can mend.
"""

from __future__ import annotations

import asyncio
import errno

from appliance.data_dir import DataDir
from appliance.problems import StartError
from appliance.settings_values import HostPort
from certs.authority import Authority
from certs.errors import CertificateError
from store.http.server import ApiServer
from store.kinds import registry as kinds
from store.log.contract import LogInUseError, LogUnreadableError, LogVersionError
from store.log.database import open_log
from store.service import Service


async def open_store(data: DataDir, *, serve_workloads: bool) -> Service:
    """The store in the data folder."""
    try:
        log = await asyncio.to_thread(open_log, data.database)
    except LogInUseError as error:
        raise StartError(f"{error}; stop it, or name another folder with --data-dir") from None
    except LogVersionError as error:
        raise StartError(f"{error}; run that version, or start with another --data-dir") from None
    except LogUnreadableError as error:
        remedy = "restore it from a backup, or move it away and start anew"
        raise StartError(f"{error}; {remedy if error.damaged else 'look at its disk: room, mode, mount'}") from None
    return await Service.open(log, kinds.builtin(serve_workloads=serve_workloads))


def open_authority(data: DataDir) -> Authority:
    """The authority in the data folder, made where there is none."""
    try:
        return Authority.open(data.path)
    except CertificateError as error:
        remedy = "restore both from a backup, or remove both and a new authority is made"
        raise StartError(f"{error}; {remedy}") from None


async def listen(server: ApiServer, bind: HostPort, option: str) -> None:
    """Begin to answer. option: the one that says where."""
    try:
        await server.start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = f"{bind} is taken by another program"
        elif error.errno == errno.EADDRNOTAVAIL:
            why = f"{bind.host} is no address of this machine"
        elif error.errno == errno.EACCES:
            why = f"port {bind.port} needs privileges that this user lacks"
        else:
            why = f"{bind} cannot be listened on: {error.strerror}"
        raise StartError(f"{why}; choose another with {option} (port 0 takes a free one)") from None
