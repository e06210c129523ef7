"""The settings of the shop; nothing here says where it is mounted."""

import os

SECRET_KEY = os.environ.get("EXAMPLE_SECRET_KEY", "shop: for the demo only, change it")
DEBUG = False
ALLOWED_HOSTS = [".localhost", "127.0.0.1", "[::1]"]
ROOT_URLCONF = "shop.urls"
TIME_ZONE = "UTC"
