"""Measure and write it down: `python -m benchmarks`, or `make bench`; names measure only those."""

import argparse
import importlib
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.results import JSON_FILE, TABLE_FILE, read, write

# In the order of the page. Each module has a `run() -> list[Result]`, and its docstring explains it there.
BENCHMARKS = (
    "benchmarks.local_sagemaker",
    "benchmarks.pages",
    "benchmarks.release",
    "benchmarks.validation",
    "benchmarks.waiting",
    "benchmarks.parsing",
)


def main(arguments: Sequence[str] | None = None, modules: Sequence[str] = BENCHMARKS) -> int:
    """Exit status 1 when a goal is missed by what was measured now."""
    names = {module.rpartition(".")[2]: module for module in modules}
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "name", nargs="*", help=f"of {', '.join(names)} (default: all); the others' results are kept"
    )
    parser.add_argument("--results", type=Path, default=JSON_FILE, help="written (default: %(default)s)")
    parser.add_argument("--page", type=Path, default=TABLE_FILE, help="written (default: %(default)s)")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.name) - names.keys():
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    missed = False
    for name in asked.name or names:
        benchmark = importlib.import_module(names[name])
        results = benchmark.run()
        for result in results:
            print(result, flush=True)
        missed |= any(result.met is False for result in results)
        # After each: what a later one breaks on, earlier ones have not measured in vain.
        found = {**read(asked.results), name: results}
        kept = {each: found[each] for each in names if each in found}
        said = {each: inspect.getdoc(importlib.import_module(names[each])) or each for each in kept}
        write(kept, said, asked.results, asked.page)
    print(f"written: {asked.results}, {asked.page}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
