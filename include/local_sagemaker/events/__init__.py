"""EventBridge events of what changes state."""
