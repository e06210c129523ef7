import decimal
import logging

from bottle import Bottle

app = Bottle()
logging.getLogger("blog").setLevel(logging.WARNING)
accounting = decimal.Context(prec=6)
