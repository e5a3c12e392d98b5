"""docs/spec.md, written from the spec's JSON Schema: `python -m tests.docs.spec_reference` from the root."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from endpoint_deploy.core.schema import describe, json_schema
from tests.docs.blocks import REPO

PAGE = REPO / "docs" / "spec.md"
_HEAD = """# The spec, key by key

Written from the JSON Schema in [schema.json](../include/deployments/schema.json), which editors with YAML
support read from the first line of a spec, `# yaml-language-server: $schema=schema.json`. `[]` stands for
an item of a list. Paths are relative to the YAML file. Keys that are not here are refused.

| Key | What it must be | Default | |
|---|---|---|---|
"""

Schema = Mapping[str, Any]


def page() -> str:
    """The whole page."""
    root = json_schema()
    rows: dict[str, tuple[str, ...]] = {}
    for key, must, default, text in _rows(root, root, ""):
        # A key that several forms of one section have, such as release.strategy: one row for all of them.
        before = rows.get(key)
        rows[key] = _merged(before, (must, default, text)) if before else (must, default, text)
    lines = (" | ".join((f"`{key}`", *cells)) for key, cells in rows.items())
    return _HEAD + "".join(f"| {line} |\n" for line in lines)


def _merged(before: tuple[str, ...], now: tuple[str, str, str]) -> tuple[str, ...]:
    """A key of several forms: the first form's default where the others have none, unless they differ."""
    must, default, text = now
    known = before[0].split(", or ")
    musts = before[0] if must in known or must == before[0] else f"{before[0]}, or {must}"
    if before[1] != default and "required" not in {before[1], default}:
        tells = default == f"`{must}`"  # the key that tells the forms apart
        return musts, "required" if tells else "by kind", before[2] or text
    return musts, before[1], before[2] or text


def _rows(schema: Schema, root: Schema, path: str) -> Iterator[tuple[str, str, str, str]]:
    for key, raw in schema.get("properties", {}).items():
        arms = [_resolve(arm, root) for arm in _arms(raw)]
        sections = [arm for arm in arms if "properties" in arm]
        said = [describe({**arm, "$defs": root["$defs"]}) for arm in arms if "properties" not in arm]
        must = ", or ".join([*said, *(["a mapping"] if sections else [])])
        default = "required" if key in schema.get("required", []) else _default(raw)
        yield f"{path}{key}", must, default, raw.get("description", "")
        for section in sections:
            yield from _rows(section, root, f"{path}{key}.")
        for arm in arms:
            for item in _arms(arm.get("items", {})):
                yield from _rows(_resolve(item, root), root, f"{path}{key}[].")


def _arms(raw: Schema) -> list[Schema]:
    arms = raw.get("anyOf") or raw.get("oneOf") or [raw]
    return [
        inner for arm in arms if arm.get("type") != "null" for inner in ([arm] if arm is raw else _arms(arm))
    ]


def _default(raw: Schema) -> str:
    value = raw.get("default")
    if value is None or value in ("", {}, []) or isinstance(value, dict):
        return ""
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return ""
    if isinstance(value, list):
        return ", ".join(f"`{each}`" for each in value)
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _resolve(schema: Schema, root: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    found: Schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return found


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
