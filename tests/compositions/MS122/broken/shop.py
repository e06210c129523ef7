from flask import Flask

app = Flask(__name__)
app.secret_key = "9f1c53a2e7d84b06"
