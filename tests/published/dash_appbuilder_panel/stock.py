"""The skeleton that Flask-AppBuilder's documentation writes, with one table."""

from flask import Flask
from flask_appbuilder import AppBuilder, Model, ModelView
from flask_appbuilder.models.sqla.base import SQLA
from flask_appbuilder.models.sqla.interface import SQLAInterface
from sqlalchemy import Column, Integer, String

app = Flask(__name__)
app.config["SECRET_KEY"] = "a key of the stock alone"
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///stock.sqlite"
app.config["WTF_CSRF_ENABLED"] = True


class Item(Model):
    __tablename__ = "items"

    id = Column(Integer, primary_key=True)
    name = Column(String(80), nullable=False)


class ItemView(ModelView):
    datamodel = SQLAInterface(Item)
    list_columns = ("name",)


database = SQLA(app)
with app.app_context():
    appbuilder = AppBuilder(app, database.session)
    appbuilder.add_view(ItemView, "Items")
