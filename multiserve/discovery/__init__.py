"""What a folder has that can be mounted, read without importing or executing anything of it."""
