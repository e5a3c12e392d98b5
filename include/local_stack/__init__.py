"""Airflow, its PostgreSQL and the local SageMaker as native processes on a laptop."""
