"""From a deployment spec to its DAGs."""
