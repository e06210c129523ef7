"""An application of Flask-Admin: a table of SQLAlchemy, with its list and its forms."""

from flask import Flask
from flask_admin import Admin
from flask_admin.contrib.sqla import ModelView
from flask_admin.theme import Bootstrap4Theme
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SECRET_KEY"] = "a key of the stock alone"
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///stock.sqlite"
database = SQLAlchemy(app)


class Item(database.Model):
    id = database.Column(database.Integer, primary_key=True)
    name = database.Column(database.String(80), unique=True)


# Flask-Admin's own link to the start page is "/", whatever the prefix.
admin = Admin(app, name="Stock", url="/", theme=Bootstrap4Theme(base_template="own_base.html"))
admin.add_view(ModelView(Item, database.session))

with app.app_context():
    database.create_all()
