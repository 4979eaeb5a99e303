"""The rain renderer: physical parameters in, streak layers and rainy clips out."""
