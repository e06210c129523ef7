from flask import Flask

app = Flask(__name__)
app.secret_key = "c07a1b5d3e92f684"
