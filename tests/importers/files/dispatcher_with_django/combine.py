"""Django at the root, a Flask application below /reports."""

import os

from django.core.wsgi import get_wsgi_application
from werkzeug.middleware.dispatcher import DispatcherMiddleware

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
os.environ["TZ"] = "UTC"
os.environ.setdefault("SECRET_KEY", open("secret").read())

django_application = get_wsgi_application()

from reports import app as reports_app  # noqa: E402

application = DispatcherMiddleware(django_application, {"/reports": reports_app})
