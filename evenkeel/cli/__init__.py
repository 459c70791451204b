"""The command line: modules of one command, or of a few that belong together."""
