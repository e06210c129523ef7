import logs  # noqa: F401
from bottle import Bottle

app = Bottle()
