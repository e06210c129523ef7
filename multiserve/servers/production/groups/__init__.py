"""Groups in production: the master starts a process for each, which is a gunicorn of its own on a socket of the group.

`supervisor` is the master's side, `child` that of a group.
"""
