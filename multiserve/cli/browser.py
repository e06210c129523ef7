"""`run --open`: shows a mount in the browser of the machine."""

from __future__ import annotations

import threading
import webbrowser

from multiserve.composition import Composition
from multiserve.keys import url_of


def open_browser(composition: Composition, origin: str) -> None:
    """Open the first page in the browser, in a thread: browsers of a terminal return only when they are left."""
    if url := first_page(composition, origin):
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def first_page(composition: Composition, origin: str) -> str:
    """Return the URL of the root, or else of the first mount that has one URL; empty if none has."""
    keys = [loaded.mount.key for loaded in composition.mounts]
    keys = [key for key in keys if not {"*", "{"} & {*key.host, *key.prefix}]
    keys.sort(key=lambda key: bool(key.host or key.prefix))  # the order of the file stays
    return url_of(keys[0], origin) if keys else ""
