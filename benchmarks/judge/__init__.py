"""Simulations that hold the judge to what docs/judge.md claims of it."""
