"""Serve the shop and its back office on one port."""

from backoffice import app as backoffice
from storefront import app as storefront
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import run_simple

application = DispatcherMiddleware(storefront, {"/admin": backoffice})

if __name__ == "__main__":
    run_simple("localhost", 5000, application, use_reloader=True, use_debugger=True, use_evalex=True)
