"""Releases while everything under them is broken: `python -m benchmarks.chaos`, or `make chaos`.

Exit status 1 where anything was violated, 2 where fewer faults took place than were wanted.
"""

import argparse
import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.chaos.account import Account
from benchmarks.chaos.storms import Storms
from benchmarks.chaos.world import STRATEGIES

MINUTES = 15.0
FAULTS = 300


def main() -> int:
    """Run the chaos that the arguments ask for, and print its account."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=None, help="draws the same faults again (default: a new one)"
    )
    parser.add_argument("--minutes", type=float, default=MINUTES, help="in all (default: %(default)g)")
    parser.add_argument("--faults", type=int, default=FAULTS, help="wanted at least (default: %(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=None, help="at most (default: as many as there is time)"
    )
    parser.add_argument(
        "--endpoints", type=int, default=len(STRATEGIES), help="at work at once (default: %(default)s)"
    )
    asked = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
    directory = Path(tempfile.mkdtemp(prefix=f"chaos-{seed}-"))
    # As root, PostgreSQL runs as a user of its own, who must be able to enter where its socket lies.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(directory))
    print(f"seed {seed}; evidence in {directory}", flush=True)
    account = Account(directory / "account", seed)
    storms = Storms(directory, account, names=tuple(STRATEGIES)[: asked.endpoints])
    storms.run(minutes=asked.minutes, rounds=asked.rounds)
    print(account.tables(asked.faults))
    for number in sorted({each.round for each in account.violations}):
        print(f"\nfaults of round {number}:", *account.faults_of_round(number), sep="\n")
    status = account.exit_code(asked.faults)
    if status == 0:
        shutil.rmtree(directory, ignore_errors=True)
    else:
        print(f"evidence: {directory}")
    return status


if __name__ == "__main__":
    sys.exit(main())
