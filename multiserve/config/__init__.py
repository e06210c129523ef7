"""The file: what it holds, read and checked into frozen dataclasses; knows nothing of loading or serving."""
