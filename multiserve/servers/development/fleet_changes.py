"""Serves what comes into the folders of fleets, and no longer what goes, without a restart."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from multiserve.composition import Composition
from multiserve.config.model import Config
from multiserve.recomposition import without_restart
from multiserve.servers.development.reloader import Reloader


class FleetChanges:
    """Keeps the composition that is served up with the folders of its fleets.

    Attributes:
        reloader: What decides when the process is restarted.
    """

    def __init__(
        self, reloader: Reloader, tell: Callable[[str], None], renew: Callable[[], None] = lambda: None
    ) -> None:
        """Do nothing until something is served.

        Args:
            reloader: What decides when the process is restarted.
            tell: Print a message in the terminal.
            renew: Have the pages that are open loaded again, when other applications are served.
        """
        self.reloader = reloader
        self._tell = tell
        self._renew = renew

    def follow(self, composition: Composition, call: Callable[[Callable[[], None]], None]) -> None:
        """Keep up a composition that is served from now on.

        Args:
            composition: The composition.
            call: Call a function where the server may be changed, and wait for its end.
        """
        self._composition = composition
        self._call = call
        self.reloader.take = self._take

    def _take(self, config: Config, changed: Sequence[str]) -> bool:
        """Serve other applications; called by the main thread, in which all of them are loaded."""
        with self.reloader.while_loading():
            found = without_restart(self._composition, config, changed)
        if found is None:
            return False
        self._call(found.apply)
        self._composition = found.composition
        if found.added or found.removed:
            self._renew()
        for mount in found.removed:
            self._tell(f" * {mount.name} was removed")
        for loaded in found.added:
            if loaded.error is None:
                self._tell(f" * {loaded.mount.name} was added")
            else:
                self.reloader.watch.blame(loaded.error)
                self._tell(f" * FAILED {loaded.error}")
        return True
