import os

from bottle import Bottle

os.environ["CACHE"] = "memory"
app = Bottle()
