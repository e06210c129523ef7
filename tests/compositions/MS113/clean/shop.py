import shop_plan
from flask import Flask

app = Flask(__name__)
app.config["PLAN"] = shop_plan.PLAN
