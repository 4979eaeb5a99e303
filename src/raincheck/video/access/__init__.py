"""Video read at random positions, for training."""
