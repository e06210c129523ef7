"""What the cluster is made of, brought here once and kept: programs, root folder, base image, wheels.

All of it comes from Debian (the programs of Kubernetes are built from its source package) and from PyPI.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
ROOT = _HERE.parents[1]
_DEBIAN = "http://deb.debian.org/debian"
_BUILDER = ("bookworm", "golang-1.19-go", "gcc", "libc6-dev", "ca-certificates", "dpkg-dev")
_MACHINE = (
    "trixie",
    *("docker.io", "docker-cli", "docker-compose"),
    *(
        "etcd-server",
        "dnsmasq-base",
        "iptables",
        "iproute2",
        "conntrack",
        "socat",
        "kmod",
        "openssl",
        "ca-certificates",
    ),
)
_BASE = ("trixie", "python3", "python3-pip", "python3-venv", "ca-certificates", "nginx-light")
_PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl", "pause")
_REQUIREMENTS = ("mixed/requirements.txt", "isolated/requirements.txt", "isolated/old/requirements.txt")
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
# The Python of the base image, whichever it is that downloads.
_PLATFORM = (
    *("--only-binary", ":all:", "--python-version", "3.13", "--implementation", "cp"),
    *(each for tag in ("2_28", "2_17", "2_5") for each in ("--platform", f"manylinux_{tag}_x86_64")),
    *("--platform", "manylinux2014_x86_64", "--abi", "cp313", "--abi", "abi3", "--abi", "none"),
)


@dataclass(frozen=True)
class Pieces:
    """Where the pieces are.

    Attributes:
        folder: What is kept between two runs.
    """

    folder: Path

    @classmethod
    def at_default(cls) -> Pieces:
        """Return those in the folder that `MULTISERVE_CLUSTER` names, by default `~/.cache/multiserve-cluster`."""
        return cls(Path(os.environ.get("MULTISERVE_CLUSTER", Path.home() / ".cache" / "multiserve-cluster")))

    @property
    def programs(self) -> Path:
        """The folder with the programs of Kubernetes."""
        return self.folder / "programs"

    @property
    def machine(self) -> Path:
        """The root folder of the machine, without anything of a run."""
        return self.folder / "machine"

    @property
    def base(self) -> Path:
        """The archive of what stands in for `python:3.13-slim` and for `nginx`."""
        return self.folder / "base.tar"

    @property
    def wheels(self) -> Path:
        """The folder with all that the examples need, and with multiserve itself."""
        return self.folder / "wheels"


def prepare(pieces: Pieces) -> None:
    """Make what is missing: a quarter of an hour on two cores the first time, some seconds after that.

    The first lines of the output say what takes the time.
    """
    pieces.folder.mkdir(parents=True, exist_ok=True)
    for path, make in (
        (pieces.programs, _build_programs),
        (pieces.machine, _make_machine),
        (pieces.base, _make_base),
    ):
        if not path.exists():
            print(f"making {path} ...", flush=True)  # noqa: T201 - minutes without a word look like a fault
            unfinished = path.with_name(f"unfinished-{path.name}")
            _remove(unfinished)
            make(unfinished)
            unfinished.rename(path)
    _collect_wheels(pieces)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def _debootstrap(target: Path, packages: Sequence[str], *options: str, sources: bool = False) -> None:
    """Make a root folder, or an archive of it, of a release of Debian and some packages."""
    release, *names = packages
    lines = [f"{kind} {_DEBIAN} {release} main" for kind in (("deb", "deb-src") if sources else ("deb",))]
    command = (
        *("mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(names)}", *options),
        *('--aptopt=APT::Sandbox::User "root"', '--aptopt=APT::Install-Recommends "false"'),
        *("--dpkgopt=force-unsafe-io", *(f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in ("doc", "man"))),
        *(release, str(target), *lines),
    )
    scratch = target.with_name("tmp")
    scratch.mkdir(exist_ok=True)
    try:
        subprocess.run(command, env={**os.environ, "TMPDIR": str(scratch)}, check=True)
    except FileNotFoundError:
        sys.exit("make cluster-test needs mmdebstrap: apt-get install mmdebstrap")
    finally:
        shutil.rmtree(scratch)


def _build_programs(target: Path) -> None:
    builder = target.with_name("builder")
    build = builder / "build"
    if not builder.exists():  # what an interrupted build has compiled is used again
        unfinished = target.with_name("unfinished-builder")
        _remove(unfinished)
        hook = 'mkdir "$1/build" && chroot "$1" sh -c "cd /build && apt-get source kubernetes"'
        _debootstrap(unfinished, _BUILDER, f"--customize-hook={hook}", sources=True)
        unfinished.rename(builder)
    for name in ("build_kubernetes.sh", "pause.c"):
        shutil.copy(_HERE / name, build)
    mounts = f"mount -t proc proc {builder}/proc && mount --bind /dev {builder}/dev"
    script = f"{mounts} && exec chroot {builder} sh /build/build_kubernetes.sh"
    subprocess.run(("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script), check=True)
    target.mkdir()
    for name in _PROGRAMS:
        shutil.copy(build / "bin" / name, target)
    shutil.rmtree(builder)


def _make_machine(target: Path) -> None:
    _debootstrap(target, _MACHINE)


def _make_base(target: Path) -> None:
    archive = target.with_suffix(".unfinished.tar")  # mmdebstrap goes by the suffix
    hooks = ('rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED', 'ln -s python3 "$1/usr/bin/python"')
    _debootstrap(archive, _BASE, *(f"--customize-hook={each}" for each in hooks))
    archive.rename(target)


def _collect_wheels(pieces: Pieces) -> None:
    """Download what the examples need for the Python of the base image, once, and build multiserve itself."""
    target = pieces.wheels
    target.mkdir(exist_ok=True)
    for old in target.glob("multiserve-*.whl"):
        old.unlink()
    subprocess.run((*_PIP, "wheel", "--no-deps", "--wheel-dir", str(target), str(ROOT)), check=True)
    (own,) = target.glob("multiserve-*.whl")
    metadata = (ROOT / "pyproject.toml").read_text("utf-8")
    for path in _REQUIREMENTS:
        lines = (ROOT / "examples" / path).read_text("utf-8").split()
        stamp = target / hashlib.sha256("\n".join((*lines, metadata)).encode()).hexdigest()
        if not stamp.exists():
            needs = [str(own) if line == "multiserve" else line for line in lines]
            subprocess.run((*_PIP, "download", *_PLATFORM, "--dest", str(target), *needs), check=True)
            stamp.touch()
