"""Faults on demand, as tests make them: by the server's own calls."""

from typing import Any

import httpx

from tests.local_sagemaker.server_process import Server


class FaultCalls:
    """/_local/faults of a server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def _call(self, method: str, path: str = "", body: Any = None) -> Any:
        answer = httpx.request(method, f"{self._server.url}/_local/faults{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def add(self, fault: str, **members: Any) -> str:
        """Put one in force; its id."""
        return self._call("POST", body={"fault": fault, **members})["faults"][0]["id"]

    def remove(self, name: str) -> None:
        self._call("DELETE", f"/{name}")

    def clear(self) -> None:
        self._call("DELETE")

    def counted(self, name: str) -> tuple[int, int]:
        """How many matches it has seen and hit."""
        found = self._call("GET", f"/{name}")
        return found["seen"], found["hits"]
