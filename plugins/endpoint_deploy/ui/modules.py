"""The pages' JavaScript: public, as Airflow's own is, since there are no data in it."""

from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope


class Modules(StaticFiles):
    """The modules, asked for anew by each load: a browser may not guess how long one is good."""

    def __init__(self) -> None:
        super().__init__(directory=Path(__file__).parent / "pages")

    async def get_response(self, path: str, scope: Scope) -> Response:
        """As StaticFiles does, with the browser told to ask whether its copy is still the newest."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


application = Modules()
