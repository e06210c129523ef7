"""Groups in development: the parent starts a process for each, which watches its own sources.

`supervisor` is the parent's side, `child` that of a group, and `state` is what the process in front knows of both.
"""
