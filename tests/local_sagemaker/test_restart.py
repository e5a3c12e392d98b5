"""What a server leaves behind, and what it finds when it comes back."""

import os
import signal
import urllib.error

import pytest


@pytest.fixture
def own_server(start_server):
    """A server that a test may kill."""
    server = start_server()
    yield server
    if server.process.poll() is None:
        server.end()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_endpoints_and_objects_survive_and_no_process_does(
    own_server, make_world, no_longer_running, wait_until, number
):
    world = make_world(own_server)
    model = world.model(RELEASE="1")
    config = world.config(world.variant(model, "a", count=2), world.variant(model, "b", weight=0))
    name = world.endpoint(config)
    world.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "b", "DesiredWeight": 0.5}]
    )
    before = world.settled(name)
    pids = own_server.replica_pids(name)
    assert len(pids) == 3
    children = own_server.children()
    assert set(pids) < set(children)  # the rest is moto

    status = own_server.end(number)
    assert status == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    wait_until(lambda: no_longer_running(children), "no process is left")

    own_server.start()
    world = make_world(own_server)
    after = world.describe(name)
    for description in (before, after):
        del description["ResponseMetadata"]
    assert after == before
    assert world.answer(name)["release"] == "1"
    assert not set(own_server.replica_pids(name)) & set(pids)
    # Everything goes on: the artifact is still there for another endpoint.
    world.endpoint(world.config(world.variant(model)))
    # Files of the fleet that was killed are gone.
    assert len(list((own_server.state_dir / "replicas").iterdir())) == 4


def test_a_create_that_was_under_way_goes_on(own_server, make_world, gate):
    world = make_world(own_server)
    name = world.begin(world.release("gated", GATE=str(gate)))
    own_server.end(signal.SIGKILL)
    own_server.start()
    world = make_world(own_server)
    assert world.describe(name)["EndpointStatus"] == "Creating"
    gate.touch()
    assert world.settled(name)["EndpointStatus"] == "InService"


def test_an_update_that_was_under_way_goes_on(own_server, make_world, gate):
    world = make_world(own_server)
    old, new = world.release(RELEASE="1"), world.release("gated", GATE=str(gate), RELEASE="2")
    name = world.endpoint(old)
    world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
    own_server.end(signal.SIGKILL)
    own_server.start()
    world = make_world(own_server)
    updating = world.describe(name)
    assert (updating["EndpointStatus"], updating["EndpointConfigName"]) == ("Updating", old)
    assert world.answer(name)["release"] == "1"
    gate.touch()
    settled = world.settled(name)
    assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", new)
    assert world.invoke(name)["Body"].read() == b"2"


def test_an_endpoint_that_cannot_come_back_is_out_of_service(own_server, make_world):
    world = make_world(own_server)
    model = world.model()
    name = world.endpoint(world.config(world.variant(model)))
    uri = world.sagemaker.describe_model(ModelName=model)["PrimaryContainer"]["ModelDataUrl"]
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    world.s3.delete_object(Bucket=bucket, Key=key)
    own_server.end()
    own_server.start()
    found = make_world(own_server).describe(name)
    assert found["EndpointStatus"] == "OutOfService"
    assert found["FailureReason"].startswith("Failed to download model data")


def test_a_state_directory_has_one_server(own_server, start_server):
    with pytest.raises(AssertionError, match="in use by another local SageMaker"):
        type(own_server)(own_server.state_dir).start()
    assert own_server.local("/health")["status"] == "ok"


def test_a_port_that_is_taken_is_named(own_server, tmp_path):
    port = own_server.url.rpartition(":")[2]
    with pytest.raises(AssertionError, match=f"cannot listen on 127.0.0.1:{port}"):
        type(own_server)(tmp_path / "other", f"--port={port}").start()


def test_it_does_not_go_on_without_moto(own_server):
    (moto,) = own_server.children()
    os.kill(moto, signal.SIGKILL)
    assert own_server.process.wait(30) == 1
    assert "moto_server ended" in own_server.output
    own_server.start()


def test_reset_forgets_everything(own_server, make_world):
    world = make_world(own_server)
    world.endpoint()
    own_server.end()
    again = type(own_server)(own_server.state_dir, "--reset").start()
    assert again.client("sagemaker").list_endpoints()["Endpoints"] == []
    assert again.client("s3").list_buckets()["Buckets"] == []
    again.end()


def test_reset_leaves_other_directories_alone(own_server, tmp_path):
    (tmp_path / "precious").write_text("x")
    with pytest.raises(AssertionError, match="is no state directory"):
        type(own_server)(tmp_path, "--reset").start()
    assert (tmp_path / "precious").exists()


def test_the_page_and_the_logs_show_what_runs(own_server, make_world, wait_until):
    world = make_world(own_server)
    name = world.begin(world.release("cannot_load"))
    world.settled(name)
    page = own_server.page("/")
    assert name in page
    assert "did not pass the ping" in page
    assert "weights are missing" in own_server.page(f"/_local/endpoints/{name}/logs")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        own_server.page("/_local/endpoints/missing/logs")
    with pytest.raises(urllib.error.HTTPError, match="400"):
        own_server.local(f"/endpoints/{name}/status", {"status": "Sleeping"})


def test_it_says_what_it_serves_and_where(own_server):
    assert own_server.ready["pid"] == own_server.process.pid
    assert own_server.ready["endpoint_url"].startswith("http://127.0.0.1:")
    for told in (own_server.url, str(own_server.state_dir), "AWS_ENDPOINT_URL", "sagemaker-execution"):
        assert told in own_server.output
