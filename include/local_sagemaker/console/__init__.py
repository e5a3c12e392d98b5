"""What a person sees of the server."""
