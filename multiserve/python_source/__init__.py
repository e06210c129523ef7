"""What Python files say, read without importing or executing anything."""
