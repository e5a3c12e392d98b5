"""Injected errors, in the words of the service that is called."""

from starlette.responses import Response

from local_sagemaker.api.calls import ProtocolCall
from local_sagemaker.api.error_forms import error_answer
from local_sagemaker.faults.rules import Fail

# Statuses of codes that are not 400, in the services' own references.
_STATUS = {
    "InternalFailure": 500,
    "InternalError": 500,
    "InternalServerError": 500,
    "ServiceUnavailable": 503,
    "ServiceUnavailableException": 503,
    "SlowDown": 503,
    "ModelNotReadyException": 429,
    "InternalDependencyException": 530,
    "AccessDenied": 403,
    "AccessDeniedException": 400,
}
_MESSAGES = {
    "InternalError": "We encountered an internal error. Please try again.",
    "SlowDown": "Please reduce your request rate.",
    "ServiceUnavailable": "The service is unavailable. Please try again shortly.",
}


def throttled(call: ProtocolCall) -> Response:
    """The way in which the call's service says that there are too many."""
    if call.protocol == "rest-xml":
        return error_answer("SlowDown", _MESSAGES["SlowDown"], _STATUS["SlowDown"], call)
    if call.protocol == "ec2":
        return error_answer("RequestLimitExceeded", "Request limit exceeded.", 503, call)
    code = "ThrottlingException" if call.protocol in ("json", "rest-json") else "Throttling"
    return error_answer(code, "Rate exceeded", 400, call)


def failed(rule: Fail, call: ProtocolCall) -> Response:
    """The error that the rule names, an internal one if it names none."""
    code = rule.code or ("InternalError" if call.protocol in ("rest-xml", "ec2") else "InternalFailure")
    status = rule.status or _STATUS.get(code, 400 if rule.code else 500)
    message = rule.message if rule.message is not None else _MESSAGES.get(code, f"Injected fault: {code}")
    return error_answer(code, message, status, call)
