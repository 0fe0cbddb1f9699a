"""What the product costs, in ratios taken in one run on one machine: `./run bench`."""
