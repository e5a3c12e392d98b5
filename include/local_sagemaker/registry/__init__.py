"""The model registry: groups, the versions in them, and packages outside of any group."""
