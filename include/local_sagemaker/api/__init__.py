"""The AWS side of the wire: validation, errors, dispatch, listings and tags."""
