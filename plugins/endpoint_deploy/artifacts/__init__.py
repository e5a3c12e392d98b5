"""Model artifacts: one streaming pass over model.tar.gz, and pinning under the digest."""
