"""Releases on a real stack while all that they stand on is broken, and what must hold afterwards."""
