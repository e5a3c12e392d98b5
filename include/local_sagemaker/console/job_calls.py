"""/_local/jobs: what runs; and what happens to a job from outside, on demand."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local_sagemaker.console.answers import BadCall
from local_sagemaker.console.overview import Overview
from local_sagemaker.jobs.services import Jobs


class JobCalls:
    """GET /_local/jobs, and POST /_local/training-jobs/NAME/interrupt."""

    def __init__(self, jobs: Jobs, overview: Overview) -> None:
        self._jobs = jobs
        self._overview = overview

    def routes(self) -> list[Route]:
        """The calls, by path and method."""
        return [
            Route("/_local/jobs", self._list),
            Route("/_local/training-jobs/{name}/interrupt", self._interrupt, methods=["POST"]),
        ]

    async def _list(self, _request: Request) -> Response:
        return JSONResponse({"jobs": self._overview.jobs()})

    async def _interrupt(self, request: Request) -> Response:
        """Take its instances from a job: an interruption of a spot job, a hardware failure of another."""
        name = request.path_params["name"]
        if not self._jobs.training_work.interrupt(name):
            raise BadCall(f"no training job {name} is running", status=404)
        return JSONResponse({"interrupted": name})
