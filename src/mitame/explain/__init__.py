"""Where and why two groups of images differ: named elements, with size and place."""
