"""Rendered videos, part by part: footage that is filmed, rain over it, and what varies from clip to clip."""
