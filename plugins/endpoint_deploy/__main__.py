"""`python -m endpoint_deploy`."""

import sys

from typer.main import get_command

from endpoint_deploy.cli import ERROR, app


def main() -> int:
    """Run the command line; a command that is typed wrongly is an error, and not 2, which says *changes*."""
    try:
        get_command(app)(standalone_mode=True)
    except SystemExit as end:
        mistyped = end.__context__ is not None and hasattr(end.__context__, "show")
        return ERROR if mistyped else int(end.code or 0)
    return 0


sys.exit(main())
