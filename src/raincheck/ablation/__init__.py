"""A grid: its file, every run of it, how they run, and what they found; `raincheck.ablate` begins."""
