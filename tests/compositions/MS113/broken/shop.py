import sched

from flask import Flask

app = Flask(__name__)
app.config["PLAN"] = sched.PLAN
