"""A run: its parts, its folder, its name, and what it leaves behind; `raincheck.run` is the flow."""
