"""Under strace: every acknowledgement leaves after its own commit reached the disk.

One client, one request at a time, so that the system calls between a request and its answer belong to it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.faults.client import Connection
from tests.faults.kill import PATH, config_map
from tests.scenarios.appliance import Appliance
from tests.scenarios.waiting import wait_for

WRITES = 100
CALLS = "read,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,pwritev,fdatasync,fsync"
_CALL = re.compile(r"^(?P<thread>\d+) +[\d.]+ (?P<name>\w+)\((?P<rest>.*)$")
_RESUMED = re.compile(r"^(?P<thread>\d+) +[\d.]+ <\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)$")


def run(folder: Path) -> list[str]:
    """100 creates under strace. The promises that were broken, as sentences."""
    if shutil.which("strace") is None:
        return ["not shown: strace is not installed"]
    trace = folder / "trace"
    with Appliance(folder / "traced", "--access-log", "off") as appliance, Connection(appliance) as connection:
        connection.call("GET", PATH)
        command = ["strace", "-f", "-ttt", "-yy", "-s", "16", "-e", f"trace={CALLS}", "-o", str(trace)]
        tracer = subprocess.Popen([*command, "-p", str(appliance.pid)], stderr=subprocess.DEVNULL)
        try:
            wait_for("strace is attached", lambda: traced(appliance.pid))
            for number in range(WRITES):
                connection.call("POST", PATH, config_map(f"traced-{number}", number))
        finally:
            tracer.terminate()
            tracer.wait(20)
    calls = parse(trace.read_text(errors="replace").splitlines(), appliance.api_port)
    proven, unproven = judge(calls)
    print(f"{proven + unproven} acknowledgements traced: {proven} after their own commit's fdatasync, {unproven} not")
    if proven < WRITES:
        return [f"only {proven} of {WRITES} acknowledgements are seen to follow their own fdatasync"]
    return []


def traced(pid: int) -> bool:
    """Every thread of the process has a tracer."""
    tasks = list(Path(f"/proc/{pid}/task").iterdir())
    return all("TracerPid:\t0\n" not in (task / "status").read_text() for task in tasks)


def parse(lines: Iterable[str], api_port: int) -> list[str]:
    """The lines of a trace as a sequence of "request", "answer", "log write" and "synced"."""
    calls: list[str] = []
    pending: dict[str, str] = {}
    socket = f"127.0.0.1:{api_port}->"
    for line in lines:
        if found := _CALL.match(line):
            thread, name, rest = found["thread"], found["name"], found["rest"]
            unfinished = rest.endswith("<unfinished ...>")
            descriptor = rest.split(",", 1)[0]
            if name in ("fdatasync", "fsync") and "-wal" in descriptor:
                if unfinished:
                    pending[thread] = name
                elif rest.endswith("= 0"):
                    calls.append("synced")
            elif name.startswith("pwrite") and "-wal" in descriptor:
                calls.append("log write")
            elif socket in descriptor:
                calls.append("request" if name.startswith(("read", "recv")) else "answer")
        elif (found := _RESUMED.match(line)) and pending.pop(found["thread"], "") and found["rest"].endswith("= 0"):
            calls.append("synced")
    return calls


def judge(calls: Iterable[str]) -> tuple[int, int]:
    """(proven, unproven): the first answer after a request is proven when, since that request, the log was written and
    a sync that began no earlier than the last such write has returned. Requests that wrote nothing do not count."""
    proven = unproven = 0
    waiting = wrote = synced = False
    for call in calls:
        match call:
            case "request":
                if not waiting:
                    waiting, wrote, synced = True, False, False
            case "log write":
                wrote, synced = True, False
            case "synced":
                synced = wrote
            case "answer" if waiting:
                if wrote:
                    proven, unproven = proven + synced, unproven + (not synced)
                waiting = False
            case _:
                pass
    return proven, unproven
