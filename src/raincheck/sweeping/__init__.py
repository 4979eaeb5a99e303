"""W&B sweep files without a server: which trials, where they run, and what they found; `sweep.sweep` begins."""
