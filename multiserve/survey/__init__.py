"""All mounts of a configuration, asked where they run: in this process, or in that of their group.

`mounts` loads them, `child` is the process of a group, and `process` its other end.
"""
