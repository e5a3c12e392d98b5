"""Pure logic: no Airflow, no AWS, no clock, no environment."""
