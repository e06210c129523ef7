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
        self._logs = scratch / "logs"
        root, settings, *layers = (scratch / name for name in ("root", "settings", "upper", "work", "docker"))
        for folder in (root, settings, self._logs, *layers):
            folder.mkdir()
        upper, work, docker = layers
        _mount(root, "-t", "overlay", "overlay", "-o", f"lowerdir={pieces.machine},upperdir={upper},workdir={work}")
        _mount(root / "proc", "-t", "proc", "proc")
        _mount(root / "sys", "-t", "sysfs", "sysfs")
        _mount(root / "dev", "--rbind", "/dev")
        _mount(root / "sys/fs/cgroup", "--rbind", "/sys/fs/cgroup")
        _mount(root / "run", "-t", "tmpfs", "tmpfs")
        _mount(root / "var/lib/docker", "--bind", str(docker))  # an overlay cannot lie upon another one
        _mount(root / "opt/kubernetes", "--bind", str(pieces.programs))
        for name, value in _KERNEL_SETTINGS.items():
            path = settings / name.replace("/", ".")
            path.write_text(f"{value}\n", "utf-8")
            _mount(root / "proc/sys" / name, "--bind", str(path))
        shutil.copy(_HERE / "runc_unprivileged", root / "usr/local/sbin")
        self._processes = [_enter(root)]
        self._namespace = f"--mount=/proc/{self._processes[0].pid}/ns/mnt"
        self.root = Path(f"/proc/{self._processes[0].pid}/root")

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
        line = ("nsenter", self._namespace, f"--wdns={folder}", *command)
        done = subprocess.run(line, input=text, capture_output=True, text=True, check=False, env=self._environment())
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a daemon, whose output is in a log of its name."""
        with (self._logs / name).open("ab") as log:
            line = ("nsenter", self._namespace, *command)
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


def _mount(target: Path, *arguments: str) -> None:
    if not target.exists():
        target.mkdir(parents=True)
    subprocess.run(("mount", *arguments, str(target)), check=True)


def _enter(root: Path) -> subprocess.Popen[bytes]:
    """Start a process that keeps a mount namespace in which a folder is the root.

    With `chroot` in its place, a command that is run in a container would find itself outside of that folder.
    """
    script = "pivot_root . mnt && umount --lazy /mnt && mount --make-rshared / && echo entered && exec sleep infinity"
    command = ("unshare", "--mount", "sh", "-c", script)
    process = subprocess.Popen(command, cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert process.stdout
    with process.stdout as output:
        assert output.readline() == b"entered\n"
    return process
