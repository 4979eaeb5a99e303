"""Data sets: one file each. Importing this package imports none of them but the common ground."""
