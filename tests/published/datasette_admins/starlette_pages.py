"""Starlette-Admin inside an application of Starlette, as its documentation shows."""

from models import Item, engine
from starlette.applications import Starlette
from starlette_admin.contrib.sqla import Admin, ModelView

app = Starlette()
admin = Admin(engine, title="Stock")
admin.add_view(ModelView(Item))
admin.mount_to(app)
