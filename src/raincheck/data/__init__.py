"""Data sets on disk, for the command line: whether they are what was published."""
