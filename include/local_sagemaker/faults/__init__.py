"""Faults on demand: what goes wrong, where and how often, told beforehand and the same for the same seed."""
