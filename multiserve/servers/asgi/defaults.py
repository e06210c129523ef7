"""The settings of gunicorn that both servers have."""

from __future__ import annotations

from typing import Any

ACCESS_LOG_FORMAT = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" "%({multiserve.mount}e)s"'


# [server] trusted_proxies says who is believed, and the dispatcher believes. gunicorn believes nobody: what comes over
# a unix socket it would always trust, and a client's SCRIPT_NAME header could move a request into another mount.
TRUST: dict[str, Any] = {"forwarded_allow_ips": "", "secure_scheme_headers": {}, "forwarder_headers": ""}
