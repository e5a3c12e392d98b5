"""The command line: python -m local_sagemaker."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

import uvloop

from local_sagemaker import options as values
from local_sagemaker.server import ServerError, run
from local_sagemaker.settings import Settings
from local_sagemaker.state_dir import StateDirError


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and serve until SIGTERM or SIGINT.

    Returns the exit status: 0, or 1 when it cannot start or go on; a wrong command line ends with 2.
    """
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    state_dir = options.state_dir.resolve()
    settings = Settings(
        host=options.host,
        port=options.port,
        state_dir=state_dir,
        region=options.region,
        time_scale=options.time_scale,
        provision_seconds=options.provision_seconds,
        omit_rollback_reason=options.omit_rollback_reason,
        reset=options.reset,
        ready_file=options.ready_file,
        quotas={**options.quotas, **dict(options.quota)},
        faults=options.faults,
        seed=options.seed,
        enforce_iam=options.enforce_iam,
    )
    if settings.ready_file:
        settings.ready_file.unlink(missing_ok=True)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings))
    except (StateDirError, ServerError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local_sagemaker",
        description=(
            "Serve Amazon SageMaker on this machine: endpoints, jobs, the model registry, CloudWatch, "
            "Application Auto Scaling and S3, and whatever else moto knows, on one loopback port."
        ),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=values.version())
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=values.port, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument(
        "--state-dir", type=Path, default=Path(".local/sagemaker"), help="everything that survives a restart"
    )
    parser.add_argument("--reset", action="store_true", help="forget everything in the state directory first")
    parser.add_argument(
        "--region", type=values.region, default="eu-west-1", help="the region this SageMaker is in"
    )
    parser.add_argument(
        "--time-scale",
        type=values.positive,
        default=1.0,
        help="how many times faster than real the service's waits are",
    )
    parser.add_argument(
        "--provision-seconds",
        type=values.seconds,
        default=0.0,
        help="least time of Creating, Updating, RollingBack and Deleting, in the service's seconds",
    )
    parser.add_argument(
        "--omit-rollback-reason",
        action="store_true",
        help="leave FailureReason empty after a rollback, as the service sometimes does",
    )
    parser.add_argument(
        "--quota",
        type=values.quota,
        action="append",
        default=[],
        metavar="NAME=N",
        help="a quota by the service's own name, as in 'ml.m5.large for endpoint usage=2'; repeatable",
    )
    parser.add_argument(
        "--quotas",
        type=values.quota_file,
        default={},
        metavar="FILE",
        help="quotas in YAML or JSON, a limit for each name; --quota goes before it",
    )
    parser.add_argument(
        "--faults",
        type=values.fault_file,
        default=(),
        metavar="FILE",
        help="YAML or JSON: what goes wrong, where and how often",
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed and calls meet the same faults")
    parser.add_argument(
        "--enforce-iam",
        action="store_true",
        help="check signatures and allow what IAM's policies allow; the key 'local' is root's",
    )
    parser.add_argument(
        "--ready-file", type=values.new_file, help="written, as JSON, when the server is ready"
    )
    return parser
