"""Piccolo Admin over one table, as its documentation shows."""

from piccolo.apps.user.tables import BaseUser
from piccolo.columns import Varchar
from piccolo.table import Table, create_db_tables_sync
from piccolo_admin.endpoints import create_admin
from piccolo_api.session_auth.tables import SessionsBase


class Item(Table):
    name = Varchar()


create_db_tables_sync(Item, BaseUser, SessionsBase, if_not_exists=True)

app = create_admin([Item])
