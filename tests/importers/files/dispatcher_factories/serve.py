import os

import backoffice
import storefront
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import run_simple

STAGE = "staging"
PREFIX = "/office"
HOST = "0.0.0.0"

staging = backoffice.create_app(STAGE, debug=True)
secret = backoffice.create_app(os.environ.get("STAGE", "none"))

app = DispatcherMiddleware(
    NotFound(),
    {
        "/shop": storefront.app,
        PREFIX: staging,
        "/office/production": backoffice.create_app("production"),
        "/secret": secret,
        "/env": backoffice.create_app(os.environ["STAGE"]) if "STAGE" in os.environ else storefront.app,
    },
)

if __name__ == "__main__":
    run_simple(
        HOST,
        int(os.environ.get("PORT", 8080)),
        app,
        threaded=True,
        processes=1,
        extra_files=["settings.yaml"],
        ssl_context="adhoc",
    )
