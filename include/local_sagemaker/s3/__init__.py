"""S3: moto's, with a copy on disk."""
