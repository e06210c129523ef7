"""A module during whose import Ctrl-C is pressed."""

raise KeyboardInterrupt
