"""Datasette, which its documentation gives to other ASGI servers in this way."""

from datasette.app import Datasette
from models import PATH


def datasette(prefix: str) -> object:
    """Return the application; Datasette must be told where it stands."""
    return Datasette([str(PATH)], settings={"base_url": f"{prefix}/"}).app()
