"""Reading, cutting and writing video."""
