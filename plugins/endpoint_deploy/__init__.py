"""Continuous delivery of models to Amazon SageMaker endpoints, from Apache Airflow."""
