"""The WSGI application of the Django project."""

import os

from django.core.wsgi import get_wsgi_application

from django_site.demo import prepare_database

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_site.settings")

application = get_wsgi_application()

# For the demo only, so that one command shows everything: a real site migrates when it is deployed.
prepare_database()
