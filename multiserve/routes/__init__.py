"""Where a URL goes: which mount answers it, where it ends inside that application, and all routes there are."""
