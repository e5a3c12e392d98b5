"""A corpus of hostile archives, each with the reason it must be stopped for; `test_hostile.py` asks.

Sources: tarfile's and zipfile's CVEs, the advisories against picklescan (GHSA, 2023 to 2026), JFrog's and
ReversingLabs' reports on models that passed scanners, "The Art of Hide and Seek" (arXiv 2508.19774), and
Keras's CVEs.
"""

from tests.artifacts.hostile import gadgets, keras, members, pickles, streams, zips
from tests.artifacts.hostile.base import Hostile

CORPUS: dict[str, Hostile] = {
    **members.PATHS,
    **members.LINKS,
    **members.MEMBERS,
    **streams.BOMBS,
    **streams.STREAMS,
    **pickles.PICKLES,
    **pickles.HIDDEN,
    **gadgets.GADGETS,
    **zips.ZIPS,
    **keras.KERAS,
}
