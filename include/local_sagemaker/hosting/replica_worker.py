"""One copy of the model inside an instance, and the framework images' way to call its code.

Like replica_server, which loads it, it imports nothing of this package.
"""

import importlib.util
import sys
from pathlib import Path
from typing import Any


class Context:
    """The handler's view of the request at hand, as multi-model-server's `context` gives it.

    A worker has one for life, as there: handlers that take a context get this one every time.
    """

    def __init__(self, model_dir: Path) -> None:
        self.system_properties = {"model_dir": str(model_dir), "gpu_id": None}
        self.manifest: dict[str, Any] = {}
        self.request_processor = [self]
        self.begin({})

    def begin(self, headers: dict[str, str]) -> None:
        """A new request, by its headers."""
        self._headers = headers
        self.status = 200
        self.response_headers: dict[str, str] = {}

    def get_request_properties(self) -> dict[str, str]:
        """The request's headers, under their usual spelling."""
        return self._headers

    def get_request_header(self, _index: int, key: str) -> str | None:
        """One of the request's headers, in any spelling."""
        return next((value for name, value in self._headers.items() if name.lower() == key.lower()), None)

    def set_response_status(self, code: int = 200, phrase: str = "", _index: int = 0) -> None:
        """Set by the transformer, for an error; the phrase has no use in HTTP/1.1."""
        del phrase
        self.status = code

    def set_response_content_type(self, _index: int, value: str) -> None:
        """Set by the transformer, from what output_fn returned."""
        self.set_response_header(0, "content-type", value)

    def set_response_header(self, _index: int, key: str, value: str) -> None:
        """Set by the model's own code."""
        self.response_headers[key.lower()] = value


class Worker:
    """One copy of the model, which handles one request at a time."""

    def __init__(self, model_dir: Path) -> None:
        _defer("sagemaker_inference.decoder", "sagemaker_inference.encoder")
        from sagemaker_inference.transformer import Transformer  # noqa: PLC0415 - needs the unpacked code

        self._context = Context(model_dir)
        self._transformer = Transformer(_default_handler())
        self._transformer.validate_and_initialize(str(model_dir), self._context)
        _load_defaults()

    def handle(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body of the answer; an iterator is a body that is to be streamed."""
        context = self._context
        context.begin(headers)
        answer = self._transformer.transform([{"body": body}], context)[0]
        if context.status >= 400:  # noqa: PLR2004 - HTTP's own line between answer and error
            print(answer, flush=True)
        return context.status, context.response_headers, answer


def _defer(*names: str) -> None:
    """Let modules load when they are first used: these bring numpy and scipy along, and many a model has
    its own way to read and write."""
    for name in names:
        if name in sys.modules:
            continue
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            raise ImportError(f"cannot load {name}")
        spec.loader = importlib.util.LazyLoader(spec.loader)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)


def _load_defaults() -> None:
    """Load them now if the model's code leaves reading or writing to them: not in the first request's time,
    and not by two workers at once."""
    from sagemaker_inference import decoder, encoder, environment  # noqa: PLC0415

    code = sys.modules.get(environment.Environment().module_name)
    if hasattr(code, "transform_fn"):
        return
    for function, module in (("input_fn", decoder), ("output_fn", encoder)):
        if not hasattr(code, function):
            getattr(module, "content_types")  # noqa: B009 - any attribute; reading one loads the module


def _default_handler() -> Any:
    from sagemaker_inference.default_inference_handler import DefaultInferenceHandler  # noqa: PLC0415

    class FrameworkHandler(DefaultInferenceHandler):  # type: ignore[misc]
        """The toolkit's defaults with the framework images' own `predict_fn`: `model.predict(data)`."""

        def default_predict_fn(self, data: Any, model: Any, context: Any = None) -> Any:
            del context
            return model.predict(data)

    return FrameworkHandler()
