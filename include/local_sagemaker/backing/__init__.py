"""moto, which serves what this package does not, and the way to it."""
