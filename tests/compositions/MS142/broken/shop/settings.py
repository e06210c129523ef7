from pathlib import Path

ALLOWED_HOSTS = ["*"]
BASE_DIR = Path(__file__).parents[1]
INSTALLED_APPS = ["django.contrib.staticfiles"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "shop.urls"
SECRET_KEY = "5a1ddc4e9f0b4be3a6c5"
TIME_ZONE = "UTC"
STATIC_URL = "static/"
