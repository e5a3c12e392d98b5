"""`python -m endpoint_deploy`, or `endpoint-deploy` where the package is installed."""

import sys

from typer.main import get_command

from endpoint_deploy.cli import ERROR, app
from endpoint_deploy.freeze_commands import COMMANDS as OF_FREEZES
from endpoint_deploy.ledger_commands import COMMANDS as OF_THE_LEDGER
from endpoint_deploy.watch_command import COMMANDS as OF_RUNS

_MISTYPED = 2


def main() -> int:
    """Run the command line.

    A command that is typed wrongly ends with 1 and not with 2, which says *changes*; those that read the
    ledger, freeze or watch have no changes to tell of, and keep 2 for it, as is usual.
    """
    try:
        get_command(app)(standalone_mode=True)
    except SystemExit as end:
        mistyped = end.__context__ is not None and hasattr(end.__context__, "show")
        if not mistyped:
            return int(end.code or 0)
        return _MISTYPED if (OF_THE_LEDGER | OF_FREEZES | OF_RUNS).intersection(sys.argv[1:2]) else ERROR
    return 0


if __name__ == "__main__":
    sys.exit(main())
