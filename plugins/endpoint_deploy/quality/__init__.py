"""Great Expectations suites over manifests and predictions."""
