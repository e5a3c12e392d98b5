"""What a rule's target receives: the event, a part of it, a constant, or a text made from it."""

import json
from typing import Any

_PREDEFINED = "aws.events."


def input_for(target: dict[str, Any], rule_arn: str, event: dict[str, Any]) -> str:
    """The text for a target: by its Input, InputPath or InputTransformer, else the whole event."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(_at(target["InputPath"], event))
    transformer = target.get("InputTransformer")
    if transformer is None:
        return json.dumps(event)
    values = {name: _at(path, event) for name, path in transformer.get("InputPathsMap", {}).items()}
    predefined = {
        "rule-arn": rule_arn,
        "rule-name": rule_arn.rpartition("/")[2],
        "event.ingestion-time": event["time"],
        "event": {name: value for name, value in event.items() if name != "detail"},
        "event.json": event,
    }
    values.update({_PREDEFINED + name: value for name, value in predefined.items()})
    return _filled(transformer["InputTemplate"], values)


def _at(path: str, event: dict[str, Any]) -> Any:
    """The value at a JSON path, or None; several become a list."""
    from jsonpath_ng.ext.parser import parse  # noqa: PLC0415 - slow to load, and few rules have paths

    found = [match.value for match in parse(path).find(event)]
    return found[0] if len(found) == 1 else found or None


def _filled(template: str, values: dict[str, Any]) -> str:
    """The template with each `<name>` replaced: as JSON, or within quotes as plain text."""
    parts: list[str] = []
    quoted = False
    position = 0
    while position < len(template):
        character = template[position]
        if character == "<":
            end = template.find(">", position)
            name = template[position + 1 : end]
            if end > 0 and name in values:
                parts.append(_within_quotes(values[name]) if quoted else json.dumps(values[name]))
                position = end + 1
                continue
        if character == '"' and template[position - 1 : position] != "\\":
            quoted = not quoted
        parts.append(character)
        position += 1
    return "".join(parts)


def _within_quotes(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text)[1:-1]
