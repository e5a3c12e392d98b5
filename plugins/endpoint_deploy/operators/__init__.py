"""One operator a file; each is one task of a release."""
