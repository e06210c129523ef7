import os

from bottle import Bottle

os.environ.setdefault("CACHE", "redis")
app = Bottle()
