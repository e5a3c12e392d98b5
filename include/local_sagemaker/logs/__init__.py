"""Logs: what jobs and instances write, in CloudWatch Logs."""
