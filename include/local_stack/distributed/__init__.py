"""The distributed set-up of `docker-compose.yaml`, as processes of this machine."""
