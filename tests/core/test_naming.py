import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from endpoint_deploy.core import naming

NAMES = st.from_regex(r"\A[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\Z")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_SERVICE = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")  # botocore's EndpointConfigName, ModelName


def _reordered(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _reordered(content[key]) for key in reversed(content)}
    return [_reordered(item) for item in content] if isinstance(content, list) else content


@given(base=NAMES, content=JSON)
def test_a_resource_name_fits_the_service_and_keeps_its_base_in_sight(base: str, content: Any) -> None:
    name = naming.resource_name(base, content)
    assert len(name) <= 63
    assert _SERVICE.fullmatch(name)
    assert name.startswith(base[:50].rstrip("-") + "-")


@given(base=NAMES, content=JSON)
def test_the_order_of_keys_does_not_change_a_name(base: str, content: Any) -> None:
    assert naming.resource_name(base, content) == naming.resource_name(base, _reordered(content))


@given(one=st.tuples(NAMES, JSON), other=st.tuples(NAMES, JSON))
def test_what_differs_has_another_name(one: tuple[str, Any], other: tuple[str, Any]) -> None:
    same = naming.digest(list(one)) == naming.digest(list(other))
    assert (naming.resource_name(*one) == naming.resource_name(*other)) is same


def test_two_long_names_that_are_shortened_to_the_same_stay_apart() -> None:
    one, other = "x" * 55 + "-one", "x" * 55 + "-two"
    assert naming.resource_name(one, {}) != naming.resource_name(other, {})


@given(declared=st.from_regex(r"\A[a-zA-Z0-9]([a-zA-Z0-9-]{0,52}[a-zA-Z0-9])?\Z"), release=JSON)
def test_a_released_variant_gives_its_declared_name_back(declared: str, release: Any) -> None:
    name = naming.variant_name(declared, naming.digest(release))
    assert len(name) <= 63
    assert _SERVICE.fullmatch(name)
    assert naming.declared_name(name) == declared


def test_a_variant_without_a_release_is_its_own_declared_name() -> None:
    assert naming.declared_name("AllTraffic") == "AllTraffic"


def test_a_run_key_is_short_and_tells_two_runs_apart() -> None:
    one, other = naming.run_key("deploy", "a"), naming.run_key("deploy", "b")
    assert re.fullmatch(r"[0-9a-f]{16}", one)
    assert one != other
    assert naming.run_key("deploy__a", "b") != naming.run_key("deploy", "__ab")
