"""Starts the evaluation, which lies beside this file in the container."""

import runpy

if __name__ == "__main__":
    runpy.run_module("evaluation.main", run_name="__main__")
