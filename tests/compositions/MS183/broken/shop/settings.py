from pathlib import Path

BASE = Path(__file__).parents[1]
ALLOWED_HOSTS = ["*"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "shop.urls"
SECRET_KEY = "5a1ddc4e9f0b4be3a6c5"
TIME_ZONE = "UTC"
STATIC_URL = "static/"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE / "db.sqlite3"}}
