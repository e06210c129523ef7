import decimal
import logging
import os

from bottle import Bottle

app = Bottle()
decimal.DefaultContext.prec = 6
logging.disable(logging.INFO)
os.umask(0o077)
