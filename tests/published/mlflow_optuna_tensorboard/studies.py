"""The dashboard of Optuna over a database, as its documentation shows."""

from pathlib import Path

import optuna
from optuna_dashboard import wsgi

storage = optuna.storages.RDBStorage(f"sqlite:///{Path(__file__).with_name('optuna.sqlite')}")
app = wsgi(storage)
