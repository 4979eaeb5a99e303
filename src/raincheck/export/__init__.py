"""Networks in files of other formats, which run without raincheck: `write` makes them, `read` opens them as weights."""
