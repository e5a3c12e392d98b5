"""The pictures of the documentation: `make pictures` has the browser tests take them anew."""

import os
import time
from pathlib import Path

from playwright.sync_api import Page

from tests.e2e.live import LiveRig

# By the name of the file, without its suffix: what is to be seen.
PICTURES = {
    "endpoints": "all endpoints, with what is live, its traffic and how the last release ended",
    "undo": "the question before a release is undone",
    "endpoint": "one endpoint with its traffic and the timeline of its releases",
    "release": "one release, with what tells it from another one",
}
_WANTED = os.environ.get("PICTURES")
_SECONDS = 20.0  # of traffic: some minutes on the local SageMaker's clock
_PAUSE = 0.2


def take(page: Page, name: str) -> None:
    """Take one of the pictures, where they are wanted."""
    assert name in PICTURES
    if _WANTED:
        page.screenshot(path=Path(_WANTED) / f"{name}.png")


def ask_for_a_while(rig: LiveRig) -> None:
    """Have something to be seen in the charts, where pictures are wanted."""
    until = time.monotonic() + _SECONDS
    while _WANTED and time.monotonic() < until:
        rig.predict()
        time.sleep(_PAUSE)
