"""What the desk shows and does in a browser."""
