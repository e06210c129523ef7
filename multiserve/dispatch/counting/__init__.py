"""Counts what each mount answers, where that is wanted."""
