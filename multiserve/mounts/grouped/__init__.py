"""Mounts of a group: requests go from the process in front to that of the group, and arrive there as they came in."""
