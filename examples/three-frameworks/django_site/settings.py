"""The settings of the Django project.

Nothing here says where the project is mounted: Django learns its prefix from each request.
"""

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent
DATABASE = Path(os.environ.get("EXAMPLE_DATABASE", FOLDER / "var" / "django.sqlite3"))
DATABASE.parent.mkdir(parents=True, exist_ok=True)

SECRET_KEY = "django: " + os.environ.get("EXAMPLE_SECRET_KEY", "for the demo only, change it")
DEBUG = False
ALLOWED_HOSTS = os.environ.get("EXAMPLE_HOSTS", ".localhost,127.0.0.1,[::1]").split(",")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_site.guestbook",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
ROOT_URLCONF = "django_site.urls"
WSGI_APPLICATION = "django_site.wsgi.application"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATABASE,
        # Several workers and threads write: take the lock early, and wait for it.
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Without a slash in front Django puts the prefix of the mount before it.
STATIC_URL = "static/"

# Applications on one origin share the browser's cookie jar: each needs its own cookie names.
SESSION_COOKIE_NAME = "django_session"
CSRF_COOKIE_NAME = "django_csrftoken"

# Django sets the time zone of the whole process, so of every mount, from this.
TIME_ZONE = "UTC"
