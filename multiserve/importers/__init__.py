"""From the files of other tools to a draft of a multiserve.toml; nothing that is read is imported or executed."""
