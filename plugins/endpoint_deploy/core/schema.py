"""The spec's JSON Schema, for editors; and a look into it, for messages."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.core.yaml_tree import Step

Schema = Mapping[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def json_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of a deployment's YAML."""
    return {"$schema": DIALECT, **DeploymentSpec.model_json_schema()}


def schema_text() -> str:
    """The schema as the file that editors read."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def at(schema: Schema, path: tuple[Step, ...], *, key: bool = False) -> Schema:
    """What a schema says of a path's value, references followed; with `key`, of the last step as a key."""
    for position, step in enumerate(path):
        arms = [_resolve(arm, schema) for arm in _arms(schema)]
        if key and position == len(path) - 1:
            return next((arm["propertyNames"] for arm in arms if "propertyNames" in arm), {})
        schema = {**_step(arms, step), "$defs": schema.get("$defs", {})}
    arms = [_resolve(arm, schema) for arm in _arms(schema)]
    return {**arms[0], "$defs": schema.get("$defs", {})} if len(arms) == 1 else schema


def _step(arms: list[Schema], step: Step) -> Schema:
    candidates = [arm.get("items") if isinstance(step, int) else _property(arm, step) for arm in arms]
    found = [each for each in candidates if isinstance(each, Mapping)]
    if found and all("const" in each for each in found):
        return {"enum": [each["const"] for each in found]}  # a union's discriminator
    return found[0] if found else {}


def _property(arm: Schema, key: str) -> Any:
    return arm.get("properties", {}).get(key) or arm.get("additionalProperties")


def _arms(schema: Schema) -> list[Schema]:
    """A union's arms but null, flattened; a plain schema is its only arm."""
    resolved = _resolve(schema, schema)
    arms: list[Schema] = resolved.get("anyOf") or resolved.get("oneOf") or []
    if not arms:
        return [resolved]
    rooted = [{**arm, "$defs": schema.get("$defs", {})} for arm in arms if arm.get("type") != "null"]
    return [each for arm in rooted for each in _arms(arm)]


def _resolve(schema: Schema, root: Schema) -> Schema:
    definitions = root.get("$defs", {})
    while "$ref" in schema:
        schema = {**definitions[schema["$ref"].rpartition("/")[2]], "$defs": definitions}
    return schema


def known_keys(schema: Schema, given: Mapping[str, Any]) -> list[str]:
    """Every key that a mapping may have; of a union's arms those count that the given values choose."""
    arms = [arm for arm in _arms(schema) if _fits(arm.get("properties", {}), given)]
    return list(dict.fromkeys(key for arm in arms for key in arm.get("properties", {})))


def _fits(properties: Mapping[str, Schema], given: Mapping[str, Any]) -> bool:
    return all(
        given[key] == value["const"] for key, value in properties.items() if "const" in value and key in given
    )


def describe(schema: Schema) -> str:
    """What a value must be, in words with its limits: `a whole number from 1 to 1000`."""
    arms = _arms(schema)
    if len(arms) > 1:
        return ", or ".join(dict.fromkeys(describe(arm) for arm in arms))
    arm = arms[0]
    if "enum" in arm or "const" in arm:
        values = arm.get("enum") or [arm["const"]]
        return f"one of {', '.join(map(str, values))}" if len(values) > 1 else str(values[0])
    match arm.get("type"):
        case "integer":
            multiple = f" and a multiple of {arm['multipleOf']}" if "multipleOf" in arm else ""
            return f"a whole number{_limits(arm)}{multiple}"
        case "number":
            return f"a number{_limits(arm)}"
        case "boolean":
            return "true or false"
        case "string":
            return _text(arm)
        case "array":
            return f"a list of {_range(arm.get('minItems', 0), arm.get('maxItems'))} items"
        case _:
            return _mapping(arm)


def _limits(arm: Schema) -> str:
    low, high = arm.get("minimum"), arm.get("maximum")
    if "exclusiveMinimum" in arm or "exclusiveMaximum" in arm:
        above = f"above {arm['exclusiveMinimum']}" if "exclusiveMinimum" in arm else f"of at least {low}"
        if "exclusiveMaximum" in arm:
            return f" {above} and below {arm['exclusiveMaximum']}"
        return f" {above}" if high is None else f" {above} and at most {high:.0f}"
    return f" from {low} to {high:.0f}" if high is not None else f" of at least {low}"


def _range(low: int, high: int | None) -> str:
    if high is None:
        return f"at least {low}"
    return f"at most {high}" if not low else f"{low} to {high}"


def _text(arm: Schema) -> str:
    words = arm.get("patternErrorMessage", "text")
    if "maxLength" not in arm:
        return str(words)
    return f"{words}; {_range(arm.get('minLength', 0), arm['maxLength'])} characters"


def _mapping(arm: Schema) -> str:
    if "properties" in arm:
        needed = arm.get("required", [])
        return f"a mapping with {', '.join(needed or list(arm['properties']))}"
    values = arm.get("additionalProperties")
    kind = "numbers" if isinstance(values, dict) and values.get("type") == "number" else "text"
    return f"a mapping of at most {arm.get('maxProperties')} names to {kind}"
