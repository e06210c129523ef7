"""Static folders: which file a path names, and how it is sent."""
