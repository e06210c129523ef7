"""The machine: a root folder of its own, and the processes that run in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from pieces import Pieces

_HERE = Path(__file__).parent

# What kubelet sets for the whole kernel, which is not its own here: it finds these files, and has nothing to write.
_KERNEL_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}


class Machine:
    """A root folder in which commands run and daemons are started.

    Whatever is mounted and started ends with the namespaces of this process at the latest.

    Attributes:
        root: The root folder, as this process sees it.
    """

    def __init__(self, pieces: Pieces, scratch: Path) -> None:
        """Mount the root folder over the pieces, with all that is written in a folder for this run alone."""
        self.root = scratch / "root"
        self._logs = scratch / "logs"
        self._processes: list[subprocess.Popen[bytes]] = []
        layers = [scratch / name for name in ("upper", "work", "docker", "settings")]
        for folder in (self.root, self._logs, *layers):
            folder.mkdir()
        upper, work, docker, settings = layers
        options = f"lowerdir={pieces.machine},upperdir={upper},workdir={work}"
        self._mount("-t", "overlay", "overlay", "-o", options, "/")
        self._mount("--make-rshared", to="/")
        self._mount("-t", "proc", "proc", "/proc")
        self._mount("-t", "sysfs", "sysfs", "/sys")
        for path in ("/dev", "/sys/fs/cgroup"):
            self._mount("--rbind", path, path)
        self._mount("-t", "tmpfs", "tmpfs", "/run")
        self._mount("--bind", str(docker), "/var/lib/docker")  # an overlay cannot lie upon another one
        self._mount("--bind", str(pieces.programs), "/opt/kubernetes")
        for name, value in _KERNEL_SETTINGS.items():
            path = settings / name.replace("/", ".")
            path.write_text(f"{value}\n", "utf-8")
            self._mount("--bind", str(path), f"/proc/sys/{name}")
        shutil.copy(_HERE / "runc_unprivileged", self.root / "usr" / "local" / "sbin")

    def _mount(self, *arguments: str, to: str = "") -> None:
        *options, inside = (*arguments, to) if to else arguments
        target = self.root / inside.lstrip("/")
        if not target.exists():
            target.mkdir(parents=True)
        subprocess.run(("mount", *options, str(target)), check=True)

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")

    def copy(self, source: Path, path: str) -> None:
        """Copy a file or a folder into the machine."""
        target = self.root / path.lstrip("/")
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)

    def run(self, *command: str, text: str | None = None, folder: str = "/") -> str:
        """Run a command, and return what it prints.

        Raises:
            AssertionError: It fails; with what it says.
        """
        line = ("chroot", str(self.root), "env", f"--chdir={folder}", *command)
        done = subprocess.run(line, input=text, capture_output=True, text=True, check=False, env=self._environment())
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a daemon, whose output is in a log of its name."""
        with (self._logs / name).open("ab") as log:
            line = ("chroot", str(self.root), *command)
            process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment())
        self._processes.append(process)
        return process

    def stop(self) -> None:
        """End the daemons; what they have started ends with the namespaces."""
        for process in reversed(self._processes):
            process.kill()
            process.wait()

    def log(self, name: str) -> str:
        """Return the end of the log of a daemon."""
        return (self._logs / name).read_text("utf-8", "replace")[-5000:]

    def _environment(self) -> dict[str, str]:
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/kubernetes"
        kept = {name: os.environ[name] for name in ("TERM",) if name in os.environ}
        return {**kept, "PATH": path, "HOME": "/root", "DOCKER_BUILDKIT": "0", "KUBECONFIG": "/etc/kubernetes/admin"}
