"""ASGI WebDAV over a folder, which has to be told its prefix."""

from pathlib import Path

from asgi_webdav.constants import AppEntryParameters
from asgi_webdav.server import get_asgi_app

FOLDER = Path(__file__).with_name("shared")


def webdav():
    """Return the application, for anybody."""
    FOLDER.mkdir(exist_ok=True)
    return get_asgi_app(
        AppEntryParameters(),
        {
            "account_mapping": [{"username": "a", "password": "b", "permissions": ["+"]}],
            "provider_mapping": [{"prefix": "/", "uri": f"file://{FOLDER}"}],
        },
    )
