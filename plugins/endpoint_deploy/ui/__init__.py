"""The pages in Airflow's UI: the data behind them, and the React modules that show it."""
