from bottle import Bottle
from parts import settings

app = Bottle()
title = settings.TITLE
