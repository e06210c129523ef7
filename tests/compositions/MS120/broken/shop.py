from flask import Flask

app = Flask("app")
