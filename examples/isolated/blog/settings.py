"""The settings of the blog; nothing here says where it is mounted."""

import os

SECRET_KEY = os.environ.get("EXAMPLE_SECRET_KEY", "blog: for the demo only, change it")
DEBUG = False
ALLOWED_HOSTS = [".localhost", "127.0.0.1", "[::1]"]
ROOT_URLCONF = "blog.urls"
TIME_ZONE = "UTC"
