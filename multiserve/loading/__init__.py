"""From import strings to applications: every failure is contained, and says which half of the string is to blame."""
