import mailkit
from flask import Flask

client = mailkit.Client("key of support")
app = Flask(__name__)


@app.get("/")
def index():
    return f"<p>{client.count_messages('support')} messages"
