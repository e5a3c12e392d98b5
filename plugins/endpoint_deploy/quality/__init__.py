"""Great Expectations over what a release is made of and what it answers.

Great Expectations and pandas are imported inside functions: together they cost five seconds, which neither a
DAG file nor a task that checks nothing should pay.
"""

from endpoint_deploy.quality.docs import publish
from endpoint_deploy.quality.errors import PredictionsUnreadable, SuiteInvalid
from endpoint_deploy.quality.manifest import manifest_frame
from endpoint_deploy.quality.predictions import Response, predictions_frame
from endpoint_deploy.quality.results import FailedExpectation, SuiteResult
from endpoint_deploy.quality.suites import load_suite, run_suite

__all__ = [
    "FailedExpectation",
    "PredictionsUnreadable",
    "Response",
    "SuiteInvalid",
    "SuiteResult",
    "load_suite",
    "manifest_frame",
    "predictions_frame",
    "publish",
    "run_suite",
]
