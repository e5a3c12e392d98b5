"""The AWS side: a thin hook, the ledger, the lock, image URIs."""
