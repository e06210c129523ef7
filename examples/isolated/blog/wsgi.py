"""The WSGI application of the blog."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "blog.settings"

application = get_wsgi_application()
