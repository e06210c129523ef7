import secrets
import time

import pagekit

app, page = pagekit.make(__name__)
STARTED = secrets.token_hex(8)
visits = []


@page("/")
def index():
    visits.append(1)
    tags = "".join(f"<li>{tag}" for tag in ("new", "old", "best"))
    token = f'<meta name="csrf-token" content="{secrets.token_urlsafe()}">'
    return f"<title>Blog ({len(visits)})</title>{token}<p id={STARTED}>{time.asctime()}<ul>{tags}</ul>"
