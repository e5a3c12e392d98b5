"""One model, answering as its framework's container would: a JSON line in, a JSON line out.

Started by evaluate.py with what stands for /opt/ml, where the model lies unpacked in `model`. Its first line
says that the model is loaded; `{"error": …}` is what went wrong. What the model's own code prints goes to
standard error, and with that to the job's log.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, Tuple

# What the framework images take for the functions that code/inference.py leaves out; the first that is there.
# The last, sagemaker-inference itself, leaves predict_fn to them: scikit-learn's is model.predict.
DEFAULTS = (
    (
        "sagemaker_sklearn_container.handler_service",
        "HandlerService.DefaultSKLearnUserModuleInferenceHandler",
    ),
    (
        "sagemaker_pytorch_serving_container.default_pytorch_inference_handler",
        "DefaultPytorchInferenceHandler",
    ),
    ("sagemaker_inference.default_inference_handler", "DefaultInferenceHandler"),
)
TEXT = (
    "text/csv",
    "application/json",
)  # sagemaker_inference.content_types.UTF8_TYPES: the others come as bytes


class Context:
    """What multi-model-server hands to functions that take a context: the model's place and the request."""

    def __init__(self, model_dir: str) -> None:
        self.system_properties = {"model_dir": model_dir, "gpu_id": None}
        self.request_processor = [self]
        self.manifest: Dict[str, Any] = {}
        self.headers: Dict[str, str] = {}

    def get_request_properties(self) -> Dict[str, str]:
        """The request's headers."""
        return self.headers

    def get_request_header(self, _index: int, key: str) -> Any:
        """One of the request's headers."""
        return self.headers.get(key)


class Handlers:
    """The model's functions, the framework's where it has none."""

    def __init__(self, root: Path) -> None:
        model_dir = root / "model"
        self._context = Context(str(model_dir))
        sys.path[0] = str(model_dir / "code")  # in the place of this file's directory
        program = os.environ.get("SAGEMAKER_PROGRAM", "inference.py")
        code = importlib.import_module(program[:-3] if program.endswith(".py") else program)
        self._transform = getattr(code, "transform_fn", None)
        own = [name for name in ("input_fn", "predict_fn", "output_fn") if hasattr(code, name)]
        if self._transform and own:
            raise ValueError(f"found transform_fn beside {', '.join(own)}; expected one or the other")
        needed = ("model_fn",) if self._transform else ("model_fn", "input_fn", "predict_fn", "output_fn")
        self._functions = {name: getattr(code, name, None) or default(name) for name in needed}
        self._model = self._call(self._functions["model_fn"], str(model_dir))

    def answer(self, content_type: str, body: str) -> Tuple[str, str]:
        """Content type and body of the answer."""
        accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "application/json")
        self._context.headers = {"Content-Type": content_type, "Accept": accept}
        sent: Any = body if content_type in TEXT else body.encode("utf-8")
        if self._transform:
            said = self._call(self._transform, self._model, sent, content_type, accept)
        else:
            data = self._call(self._functions["input_fn"], sent, content_type)
            prediction = self._call(self._functions["predict_fn"], data, self._model)
            said = self._call(self._functions["output_fn"], prediction, accept)
        if hasattr(said, "get_data"):  # sagemaker_containers' and Flask's response
            return str(said.mimetype), as_text(said.get_data())
        if isinstance(said, tuple):
            return str(said[1]), as_text(said[0])
        return accept, as_text(said)

    def _call(self, function: Callable[..., Any], *given: Any) -> Any:
        """Call one that takes a context with it, as sagemaker-inference's transformer does."""
        takes = len(inspect.signature(function).parameters)
        return function(*given, self._context) if takes == len(given) + 1 else function(*given)


def default(name: str) -> Callable[..., Any]:
    """What the image's framework takes for a function that the model's code leaves out."""
    for module, path in DEFAULTS:
        try:
            handler: Any = importlib.import_module(module)
        except ImportError:
            continue
        for part in path.split("."):
            handler = getattr(handler, part)
        if name == "predict_fn" and module == DEFAULTS[-1][0]:
            return lambda data, model: model.predict(data)
        function: Callable[..., Any] = getattr(handler(), "default_" + name)
        return function
    raise ValueError(f"found no {name} in the model's code, and the image has no default for it")


def as_text(said: Any) -> str:
    """A body as text; a streamed one is put together."""
    if isinstance(said, (bytes, bytearray)):
        return bytes(said).decode("utf-8")
    return said if isinstance(said, str) else "".join(as_text(part) for part in said)


def main() -> None:
    """Load the model, then answer until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # a print in the model's code must not be taken for an answer

    def say(**what: str) -> None:
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    try:
        handlers = Handlers(Path(sys.argv[1]))
        say(loaded="")
        for line in sys.stdin:
            asked = json.loads(line)
            content_type, body = handlers.answer(asked["content_type"], asked["body"])
            say(content_type=content_type, body=body)
    except Exception as error:  # whatever the model's code raises is its answer
        traceback.print_exc()
        say(error=" ".join(f"{type(error).__name__}: {error}".split()))


if __name__ == "__main__":
    main()
