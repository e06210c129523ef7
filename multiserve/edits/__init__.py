"""Exact changes of files that cure a finding: of one key of the configuration, or of one setting of an application."""
