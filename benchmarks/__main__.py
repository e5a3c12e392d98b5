"""Measure everything and write it down: `python -m benchmarks`, or `make bench`."""

import sys

from benchmarks import local_sagemaker, pages
from benchmarks.results import JSON_FILE, TABLE_FILE, write


def main() -> int:
    """Exit status 1 when a goal is missed."""
    results = [*local_sagemaker.run(), *pages.run()]
    for result in results:
        met = {None: "", True: "met", False: "MISSED"}[result.met]
        print(
            f"{result.name}: {result.ours:.4g} {result.unit} against {result.reference:.4g} {result.unit} "
            f"({result.reference_is}), ratio {result.ratio:.2f} {met}"
        )
    write(results)
    print(f"written: {JSON_FILE}, {TABLE_FILE}")
    return 1 if any(result.met is False for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
