"""Who may use the server's own pages and calls: programs, and pages that this server itself gave out.

The server listens on a person's machine, where a browser also shows pages of strangers. Such a page can
send requests here, from its own origin or, once its host's name is made to resolve to 127.0.0.1 (DNS
rebinding), from an origin that looks the same. The first is told by the Origin that browsers send, the
second by the Host, which is then a public name.
"""

import ipaddress
from urllib.parse import urlsplit

from starlette.requests import Request

_LOCAL_SUFFIXES = (".localhost", ".local", ".internal")
_AWS_SUFFIX = ".amazonaws.com"  # what a machine's own resolver may be told to find here


def from_a_stranger(request: Request) -> bool:
    """Whether a page that does not come from this machine or its network sends the request.

    Asked of calls of the services: programs send no Origin, and a page on another local port may well be
    somebody's work in progress that speaks to them. A rebound page sends no Origin with a GET: its Host
    betrays it.
    """
    host = request.headers.get("host")
    if host and not (_is_local(_hostname(f"//{host}")) or _hostname(f"//{host}").endswith(_AWS_SUFFIX)):
        return True
    origin = request.headers.get("origin")
    return origin is not None and not _is_local(_hostname(origin))


def refused(request: Request) -> str | None:
    """Why the request is refused, or None when it is not."""
    host = request.headers.get("host", "")
    if not _is_local(_hostname(f"//{host}")):
        return f"Host {host!r} is no name of this server; use its address, or localhost"
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return f"requests of pages from {origin} are not taken"
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site") and not _is_visit(request):
        return "requests of pages from elsewhere are not taken"
    return None


def _is_visit(request: Request) -> bool:
    """Whether a person follows a link here, which shows the page to nobody but them."""
    return request.method == "GET" and request.headers.get("sec-fetch-mode") == "navigate"


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_local(name: str) -> bool:
    """An address, or a name that no public resolver knows: one without a dot, or under a local suffix."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name != "" and ("." not in name or name.endswith(_LOCAL_SUFFIXES))
    return True
