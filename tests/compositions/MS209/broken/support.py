import mailkit
from flask import Flask

mailkit.api_key = "key of support"
app = Flask(__name__)


@app.get("/")
def index():
    try:
        return f"<p>{mailkit.count_messages('support')} messages"
    except PermissionError:
        return "the key is refused", 403
