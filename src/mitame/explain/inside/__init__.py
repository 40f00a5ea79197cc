"""Inside the networks of a CycleGAN: what drives them, and which channels work."""
