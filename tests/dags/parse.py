"""Parses one DAG file as Airflow does, in a process of its own, and tells what that took.

Prints JSON: the DAGs, the import errors, what was asked of the network, and the modules then loaded.
"""

import json
import sys
from typing import Any

_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
_asked: list[str] = []


def _on_event(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _NETWORK:
        _asked.append(f"{event} {arguments[1:]}")


def main(file: str) -> None:
    """Parse the file."""
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:  # Airflow 3.1; as tests.dag_bag, which a program of its own does not find
        from airflow.models.dagbag import DagBag

    sys.addaudithook(_on_event)
    bag = DagBag(dag_folder=file, safe_mode=True)
    found = {
        "dags": sorted(bag.dags),
        "errors": bag.import_errors,
        "network": _asked,
        "modules": sorted({name.partition(".")[0] for name in sys.modules}),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
