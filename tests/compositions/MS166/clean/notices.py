import logging

from flask import Flask

app = Flask(__name__)
log = logging.getLogger("notices.posts")
