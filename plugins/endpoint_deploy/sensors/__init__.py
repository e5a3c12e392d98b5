"""Sensors over SageMaker endpoints."""
