"""Inputs made to hurt: of the pass over archives, and of the loader of specs (`make fuzz`)."""
