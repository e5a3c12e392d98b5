"""A local SageMaker: real replicas behind SageMaker's own API, on one loopback port."""
