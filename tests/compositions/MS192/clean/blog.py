import os

from bottle import Bottle

os.environ.setdefault("BLOG_CACHE", "memory")
app = Bottle()
