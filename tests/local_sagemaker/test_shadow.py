"""Shadow variants get copies of the requests, and the caller sees nothing of it."""

import pytest


@pytest.fixture
def marks(tmp_path):
    """What releases got: the bodies, by release."""

    def seen(release):
        return sorted(path.read_text() for path in tmp_path.glob(f"{release}-*"))

    seen.directory = str(tmp_path)
    return seen


def _endpoint(world, marks, *, weight=1.0, **shadow):
    live = world.model("marks", RELEASE="live", MARKS=marks.directory)
    copy = world.model("marks", RELEASE="shadow", MARKS=marks.directory, **shadow)
    return world.endpoint(
        world.config(
            world.variant(live, "live", weight=1),
            ShadowProductionVariants=[world.variant(copy, "shadow", weight=weight)],
        )
    )


def test_a_shadow_gets_copies_and_its_failures_stay_its_own(world, marks, wait_until):
    name = _endpoint(world, marks, FAIL="1")
    bodies = sorted(f"body {number}" for number in range(20))
    for body in bodies:
        response = world.invoke(name, body)
        assert (response["Body"].read(), response["InvokedProductionVariant"]) == (b"live", "live")
    wait_until(lambda: marks("shadow") == bodies, "the copies")
    assert marks("live") == bodies
    wait_until(lambda: world.total(name, "shadow", "Invocation5XXErrors") == 20, "the shadow's errors")
    assert world.total(name, "live", "Invocation5XXErrors") == 0
    assert world.total(name, "live", "Invocations") == 20


def test_a_slow_shadow_does_not_hold_the_caller_up(world, marks, wait_until):
    name = _endpoint(world, marks, DELAY="2")
    for number in range(3):
        world.invoke(name, str(number))
    # Six seconds of the shadow's work have been asked for; it has not done the first two.
    assert len(marks("shadow")) < 3
    wait_until(lambda: len(marks("shadow")) == 3, "the copies")


def test_a_shadow_gets_its_share(world, marks, wait_until):
    name = _endpoint(world, marks, weight=0.5)
    for number in range(200):
        world.invoke(name, str(number))
    wait_until(lambda: world.total(name, "shadow", "Invocations") == len(marks("shadow")) > 0, "copies")
    # One in two of 200: the standard deviation is 7.1; six of them are missed once in 500 million.
    assert abs(len(marks("shadow")) - 100) < 43


def test_a_shadow_whose_instance_is_gone_costs_the_caller_nothing(world, marks, server):
    name = _endpoint(world, marks)
    world.invoke(name, "before")
    with pytest.raises(world.runtime.exceptions.ValidationError):
        world.invoke(name, "x", TargetVariant="shadow")
    assert world.invoke(name, "after")["Body"].read() == b"live"
