import structlog
from bottle import Bottle

structlog.configure()
app = Bottle()
