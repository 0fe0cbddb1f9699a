"""What must be true at the start, or the product does not start."""
