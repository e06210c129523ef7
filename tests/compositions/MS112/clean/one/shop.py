import config
from flask import Flask

app = Flask(__name__)
app.config["TITLE"] = config.TITLE
