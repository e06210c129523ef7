"""The applications: the site, a folder by WebDAV, and calendars."""

import os
from pathlib import Path

from django.core.wsgi import get_wsgi_application
from radicale import Application
from radicale import config as radicale_config
from wsgidav.wsgidav_app import WsgiDAVApp

FOLDER = Path(__file__).parent
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")

site = get_wsgi_application()


def files(prefix: str) -> WsgiDAVApp:
    """Share the folder of files; WsgiDAV must be told where it stands."""
    (FOLDER / "files").mkdir(exist_ok=True)
    return WsgiDAVApp(
        {
            "provider_mapping": {"/": str(FOLDER / "files")},
            "mount_path": prefix,
            "simple_dc": {"user_mapping": {"*": True}},
        }
    )


def calendars() -> Application:
    """Serve calendars from a folder; nobody may write."""
    configuration = radicale_config.load()
    configuration.update(
        {
            "storage": {"filesystem_folder": str(FOLDER / "calendars")},
            "auth": {"type": "denyall"},
        },
        "services.py",
    )
    return Application(configuration)
