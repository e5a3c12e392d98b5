"""`make fuzz`: ten minutes by default; exits with 1 and keeps the input where one does harm."""

import argparse
import sys
from pathlib import Path

from endpoint_deploy.artifacts.model import MIB
from tests.fuzz.run import fuzz


def main() -> int:
    """Run as the command line says, and print what came out."""
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path(".local/fuzz"))
    given = parser.parse_args()
    result = fuzz(given.seed, given.keep, seconds=given.seconds)
    tried = ", ".join(f"{count:,} of kind {kind}" for kind, count in result.inputs.items())
    print(f"seed {given.seed}: {sum(result.inputs.values()):,} inputs in {result.seconds:.0f} s ({tried})")
    for reason, count in result.refusals.most_common():
        print(f"  {count:>9,}  {reason}")
    print(f"slowest input {result.slowest:.2f} s; memory grew by {result.growth / MIB:.1f} MiB at most")
    if result.problem:
        print(f"FOUND: {result.problem}\nThe input is kept: {result.kept}", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
