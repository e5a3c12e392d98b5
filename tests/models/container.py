"""A script-mode container without its web server: ``python container.py MODEL_DIR``.

Reads requests ``[[body, content type, accept], …]`` from stdin, runs each through sagemaker-inference's
Transformer, and writes ``{"answers": [[status, content type, body], …], "modules": […]}``.
"""

import json
import sys
from typing import Any

from sagemaker_inference.transformer import Transformer


class Context:
    """What the Transformer asks of the model server's context."""

    def __init__(self, model_dir: str, content_type: str, accept: str) -> None:
        self.system_properties = {"model_dir": model_dir}
        self.request_processor = [self]
        self.properties = {"Content-Type": content_type, "Accept": accept}
        self.status = 200
        self.content_type: str | None = None

    def get_request_properties(self) -> dict[str, str]:
        return self.properties

    def set_response_status(self, code: int, phrase: str) -> None:
        assert "\n" not in phrase
        self.status = code

    def set_response_content_type(self, _index: int, value: str) -> None:
        self.content_type = value


def main(model_dir: str) -> None:
    sys.path.insert(0, f"{model_dir}/code")
    transformer = Transformer()
    answers: list[Any] = []
    for body, content_type, accept in json.load(sys.stdin):
        context = Context(model_dir, content_type, accept)
        # surrogateescape: a request's body is bytes, and not always UTF-8.
        raw = body.encode("utf-8", "surrogateescape")
        (answer,) = transformer.transform([{"body": raw}], context)
        answers.append([context.status, context.content_type, answer])
    json.dump({"answers": answers, "modules": sorted(sys.modules)}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
