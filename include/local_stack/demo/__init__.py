"""The demo: releases of a real model, good and broken, driven through Airflow under live traffic."""
