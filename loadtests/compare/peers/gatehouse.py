"""Gatehouse itself: run without privileges from this Python, told its work by a folder of YAML."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from loadtests.compare.peers.manifests import manifests
from loadtests.compare.process import Pinned, free_port
from loadtests.compare.variants import Variant
from loadtests.compare.work import PROXY_CORE, Setting

REPOSITORY = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Gatehouse:
    """The appliance, one process, all planes on the measured core.

    name: under which it takes part. source: the folder whose code runs; None is the code that is imported here.
    """

    name: str = "gatehouse"
    source: Path | None = None

    def carries(self, variant: Variant) -> bool:
        """Everything."""
        return True

    def missing(self) -> str:
        """Never missing: it is what is measured."""
        return ""

    def version(self) -> str:
        """The installed version and the Python that runs it."""
        what = version("gatehouse") if self.source is None else "an earlier commit"
        return f"{what} on Python {sys.version.split()[0]}"

    def access_log(self, setting: Setting) -> Path:
        """See Peer."""
        return setting.run / self.name / "access.log"

    def start(self, setting: Setting, port: int) -> Pinned:
        """`gatehouse run` with a fresh data folder; what costs CPU here costs it in production, API server included."""
        run = setting.run / self.name
        shutil.rmtree(run, ignore_errors=True)
        folder, data = run / "manifests", run / "data"
        folder.mkdir(parents=True)
        data.mkdir(mode=0o700)
        (folder / "bench.yaml").write_text(manifests(setting, port))
        words = ["run", "--data-dir", str(data), "--manifests", str(folder), "--api-bind", f"127.0.0.1:{free_port()}"]
        words += ["--access-log", str(self.access_log(setting)) if setting.variant.access_log else "off"]
        return Pinned(
            [sys.executable, "-m", "appliance", *words],
            core=PROXY_CORE,
            log=run / "gatehouse.log",
            privileged=False,
            cwd=self.source,
            env={"PYTHONPATH": str(self.source)} if self.source else None,
        )


def gatehouse_at(revision: str, folder: Path, repository: Path = REPOSITORY) -> Gatehouse:
    """The appliance as it was at a git revision of a repository, by default this one, checked out below `folder`.

    It runs in this Python with the packages that are installed here. Raises RuntimeError for an unknown revision, or
    when other code than that would run.
    """
    # Whoever owns the clone: nothing of it is run but what was asked for by name.
    command = ["git", "-c", "safe.directory=*", "archive", "--format=zip", revision]
    done = subprocess.run(command, cwd=repository, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"no revision {revision}: {done.stderr.decode().strip()}")
    source = folder / revision.replace("/", "-")
    with ZipFile(BytesIO(done.stdout)) as archive:
        archive.extractall(source)
    earlier = Gatehouse(f"@{revision}", source)
    command = [sys.executable, "-c", "import appliance, proxy; print(appliance.__file__, proxy.__file__)"]
    looked = subprocess.run(
        command, cwd=source, env={"PYTHONPATH": str(source)}, capture_output=True, text=True, check=False
    )
    found = looked.stdout.split()
    if looked.returncode or not all(Path(file).is_relative_to(source) for file in found):
        raise RuntimeError(f"instead of {revision}, this would run: {found or looked.stderr}")
    return earlier
