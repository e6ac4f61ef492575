"""Running inside Saleor: the only package that imports it, small enough to throw away."""
