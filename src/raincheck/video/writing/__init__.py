"""Video and frames written whole or not at all, with all that goes with them."""
