"""What is found out about the mounts of one process, which is this one: by checks, and for checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from multiserve._types import Interface
from multiserve.checks import Subject, look_at
from multiserve.composition import Composition
from multiserve.config.model import Config
from multiserve.config.mounts import Mount
from multiserve.frameworks import Inspector
from multiserve.loading.side_effects import Recorder, SideEffects
from multiserve.plugins.loading import Plugins
from multiserve.survey.production import gunicorn_settings, serves_asgi


def interface_for(config: Config, *, production: bool) -> Interface | None:
    """Return the interface that the composition has to have; None if that follows from the mounts."""
    return "asgi" if production and serves_asgi(config) else None


@dataclass(slots=True)
class Look:
    """How mounts are looked at.

    Attributes:
        mounts: All mounts of the file.
        production: Whether to look at them as `run --production` would serve them.
        plugins: What the plugins bring.
        trusted_proxies: How many proxies the file trusts.
        recorder: What loading each mount has done to the process.
        inspector: Reads each application once.
    """

    mounts: Sequence[Mount]
    production: bool
    plugins: Plugins
    trusted_proxies: int
    recorder: Recorder = field(default_factory=Recorder)
    inspector: Inspector = field(default_factory=Inspector)

    def at(self, composition: Composition, effects: Mapping[str, SideEffects] | None = None) -> Subject:
        """Return what the checks look at.

        Args:
            composition: The loaded mounts.
            effects: What loading them has done, if that is known already; else it is recorded while they are read.
        """
        config = composition.config
        subject = look_at(
            composition,
            self.recorder.effects if effects is None else effects,
            observe=self.recorder.watch if effects is None else _unwatched,
            mounts=self.mounts,
            gunicorn=gunicorn_settings(config, composition.interface),
            is_production=self.production,
            inspector=self.inspector,
        )
        codes = frozenset(self.plugins.checks)
        return replace(subject, plugin_codes=codes, trusted_proxies=self.trusted_proxies)


@contextmanager
def _unwatched(_: str) -> Iterator[None]:
    yield
