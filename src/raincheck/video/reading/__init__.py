"""Video read once, in order: files by PyAV, frames in memory and from pipes."""
