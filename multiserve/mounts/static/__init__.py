"""Static folders: which file a path stands for, and how it is sent."""
