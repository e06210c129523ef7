"""SQLAdmin inside an application of Starlette, as its documentation shows."""

from models import Item, engine
from sqladmin import Admin, ModelView
from starlette.applications import Starlette

app = Starlette()


class ItemAdmin(ModelView, model=Item):
    column_list = (Item.id, Item.name)


admin = Admin(app, engine)
admin.add_view(ItemAdmin)
