"""The entries of `[mounts]`: one module for each kind of mount, which holds its options and how they are read."""
