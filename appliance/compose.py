"""The whole appliance from its settings: the only module that knows all rooms.

Settings come in, an exit code goes out. The proxy has the main thread and its event loop; the control plane has a
thread of its own; the log commits on a third. A plane that ends by itself ends the process.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Callable, Mapping
from typing import Any

import uvloop

from appliance.data_dir import DataDir
from appliance.logs import Logs
from appliance.planes.control import ControlPlane, DataPlane
from appliance.planes.thread import PlaneThread
from appliance.problems import StartError
from appliance.session_key import open_session_key
from appliance.settings import Settings
from appliance.settings_values import HostPort
from proxy.options import ProxyOptions
from proxy.server import Proxy

_LOG = logging.getLogger(__name__)
# A collection looks at every young object, at about 0.3 us each, and holds up all threads: 5,000 keep one under 2 ms. A
# full one looks at all that was not frozen, 100 ms for 5,000 routes: it is rare, and each object lives through one.
_GC_THRESHOLDS = (5_000, 20, 50)
# The interpreter's switch interval stays at 5 ms. With 1 ms the time from an edit's answer to the first request by the
# new rule did not fall (p50 25 and 34 ms against 24 and 25 under saturation): hand-overs between threads were removed
# instead.
CONTROL_STOP_S = 15.0


def run(settings: Settings, on_ready: Callable[[HostPort], None] | None = None) -> int:
    """Run until SIGTERM or SIGINT; 0 after an orderly end. on_ready: called once, on the main thread, with the API's
    address. Raises StartError when it cannot begin, and whatever made a plane fail."""
    logs = Logs(settings.log_file, settings.log_level)
    data = DataDir(settings.data_dir)
    gc.set_threshold(*_GC_THRESHOLDS)
    gc.callbacks.append(freeze_survivors)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(settings, data, logs, on_ready))


async def _run(settings: Settings, data: DataDir, logs: Logs, on_ready: Callable[[HostPort], None] | None) -> int:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    control = ControlPlane(settings, data)
    thread = PlaneThread("control", control.run)
    thread.start()
    stopped = asyncio.ensure_future(stop.wait())
    try:
        api = asyncio.wrap_future(control.serving)
        await _either(api, thread.ended, stopped)
        if not api.done():
            return 0
        proxy = _open_proxy(loop, _proxy_options(settings, data, api.result()), control)
        loop.add_signal_handler(signal.SIGUSR1, _reopen, logs, proxy)
        control.attach(DataPlane(proxy.apply, proxy.metrics))
        ready = asyncio.wrap_future(control.ready)
        await _either(ready, thread.ended, stopped)
        if ready.done():
            gc.collect()
            _LOG.info("ready: API on https://%s, kubeconfig %s", api.result(), data.kubeconfig)
            if on_ready is not None:
                on_ready(api.result())
            await _either(thread.ended, stopped)
        _LOG.info("stopping: connections have %g s to end", settings.drain_timeout_s)
        control.quiesce()
        quiesced = asyncio.wrap_future(control.quiesced)
        await _either(quiesced, thread.ended)
        await proxy.drain(settings.drain_timeout_s)
        return 0
    finally:
        stopped.cancel()
        await end(control, thread)


async def end(control: ControlPlane, thread: PlaneThread) -> None:
    """Let the control plane end, within a bound. What goes wrong in that stops nobody from stopping, and is logged."""
    failed_before = thread.ended.done()
    control.stop()
    await asyncio.wait({thread.ended}, timeout=CONTROL_STOP_S)
    if not thread.ended.done():
        _LOG.error("the control plane has not ended within %g s and is left behind", CONTROL_STOP_S)
    elif (error := thread.ended.exception()) is not None and not failed_before:
        _LOG.error("the control plane failed while it ended", exc_info=error)


def freeze_survivors(phase: str, info: Mapping[str, int]) -> None:
    """For gc.callbacks: what a full collection has left lives long, and no later one looks at it again."""
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()


async def _either(*futures: asyncio.Future[Any]) -> None:
    """Until one of them is done. Raises what made it fail."""
    done, _ = await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
    for future in done:
        future.result()


def _open_proxy(loop: asyncio.AbstractEventLoop, options: ProxyOptions, control: ControlPlane) -> Proxy:
    try:
        return Proxy(loop, options, control.report)
    except OSError as error:
        raise StartError(f"access log {options.access_log}: {error.strerror}; correct --access-log") from None


def _reopen(logs: Logs, proxy: Proxy) -> None:
    logs.reopen()
    proxy.reopen_logs()
    _LOG.info("log files reopened")


def _proxy_options(settings: Settings, data: DataDir, api: HostPort) -> ProxyOptions:
    own = [api, *([settings.metrics_bind] if settings.metrics_bind else [])]
    return ProxyOptions(
        trusted_proxies=settings.trusted_proxies,
        access_log="stdout" if settings.access_log == "-" else settings.access_log,
        deny_backends=settings.deny_backends,
        own_addresses=tuple(("" if bind.host in ("0.0.0.0", "::") else bind.host, bind.port) for bind in own),
        session_key=open_session_key(data),
    )
