"""CloudWatch's metrics: put and read in every protocol, with the service's limits and statistics."""

import datetime
import urllib.error
import urllib.parse
import urllib.request

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize
import numpy
import pytest

NOW = datetime.datetime.now(datetime.UTC).replace(second=0, microsecond=0)
HOUR = datetime.timedelta(hours=1)
MINUTE = datetime.timedelta(minutes=1)
PROTOCOLS = ("json", "smithy-rpc-v2-cbor", "query")


@pytest.fixture(scope="module")
def cloudwatch(server):
    return server.client("cloudwatch")


@pytest.fixture
def name(world):
    return world.name("Metric")


def call_in(protocol, url, operation, **parameters):
    """One call as botocore would make it if it chose this protocol; returns (status, answer)."""
    description = botocore.loaders.Loader().load_service_model("cloudwatch", "service-2")
    description["metadata"]["protocol"] = protocol
    model = botocore.model.ServiceModel(description, "cloudwatch").operation_model(operation)
    request = botocore.serialize.create_serializer(protocol).serialize_to_request(parameters, model)
    body = request["body"]
    if isinstance(body, dict):
        body = urllib.parse.urlencode(body).encode()
    scope = "x/20260101/eu-west-1/monitoring/aws4_request"
    wire = urllib.request.Request(  # noqa: S310
        url + request["url_path"],
        data=body.encode() if isinstance(body, str) else bytes(body),
        headers={**request["headers"], "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(wire, timeout=30) as answer:  # noqa: S310
            status, headers, content = answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        status, headers, content = error.code, error.headers, error.read()
    response = {
        "status_code": status,
        "headers": {key.lower(): value for key, value in headers.items()},
        "body": content,
    }
    return status, botocore.parsers.create_parser(protocol).parse(response, model.output_shape)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_metrics_are_the_same_in_every_protocol(server, name, protocol):
    dimensions = [{"Name": "Part", "Value": "a & b"}]
    datum = {"MetricName": name, "Dimensions": dimensions, "Timestamp": NOW, "Unit": "Count"}
    put, _ = call_in(
        protocol,
        server.url,
        "PutMetricData",
        Namespace="Test",
        MetricData=[{**datum, "Value": 1.5}, {**datum, "Values": [2.0, 4.0], "Counts": [1.0, 2.0]}],
    )
    assert put == 200
    _, found = call_in(
        protocol,
        server.url,
        "GetMetricStatistics",
        Namespace="Test",
        MetricName=name,
        Dimensions=dimensions,
        StartTime=NOW - HOUR,
        EndTime=NOW + MINUTE,
        Period=60,
        Statistics=["Sum", "SampleCount", "Minimum", "Maximum", "Average"],
    )
    assert found["Label"] == name
    (point,) = found["Datapoints"]
    assert point["Timestamp"] == NOW
    assert point["Unit"] == "Count"
    assert (point["Sum"], point["SampleCount"]) == (11.5, 4)
    assert (point["Minimum"], point["Maximum"], point["Average"]) == (1.5, 4.0, 2.875)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_errors_have_the_code_of_the_query_protocol_in_every_protocol(server, protocol):
    missing = {"AlarmName": "no-such-alarm", "StateValue": "OK", "StateReason": "a test"}
    status, answer = call_in(protocol, server.url, "SetAlarmState", **missing)
    assert (status, answer["Error"]["Code"]) == (404, "ResourceNotFound")
    assert answer["Error"]["Message"] == "Alarm no-such-alarm does not exist."
    status, answer = call_in(protocol, server.url, "SetAlarmState", **{**missing, "StateValue": "FINE"})
    assert (status, answer["Error"]["Code"]) == (400, "ValidationError")
    assert answer["Error"]["Message"] == (
        "1 validation error detected: Value 'FINE' at 'stateValue' failed to satisfy constraint: Member must "
        "satisfy enum value set: [OK, ALARM, INSUFFICIENT_DATA]"
    )
    status, answer = call_in(protocol, server.url, "ListDashboards")
    assert (status, answer["Error"]["Code"]) == (400, "UnsupportedOperation")


def test_percentiles_are_within_one_percent(cloudwatch, name):
    values = numpy.random.default_rng(7).lognormal(mean=9, sigma=1.2, size=3000)
    for part in numpy.split(values, 20):
        cloudwatch.put_metric_data(
            Namespace="Test",
            MetricData=[{"MetricName": name, "Timestamp": NOW - 5 * MINUTE, "Values": part.tolist()}],
        )
    shares = (0.1, 50, 90, 99, 99.9)
    (point,) = cloudwatch.get_metric_statistics(
        Namespace="Test",
        MetricName=name,
        StartTime=NOW - HOUR,
        EndTime=NOW,
        Period=300,
        ExtendedStatistics=[*(f"p{share}" for share in shares), "tm90", "wm90", "IQM", "PR(:10000)"],
    )["Datapoints"]
    found = point["ExtendedStatistics"]
    for share in shares:
        expected = numpy.percentile(values, share, method="inverted_cdf")
        assert found[f"p{share}"] == pytest.approx(expected, rel=0.01)
    ordered = numpy.sort(values)
    assert found["tm90"] == pytest.approx(ordered[:2700].mean(), rel=0.01)
    assert found["wm90"] == pytest.approx(numpy.minimum(values, ordered[2699]).mean(), rel=0.01)
    assert found["IQM"] == pytest.approx(ordered[750:2250].mean(), rel=0.01)
    assert found["PR(:10000)"] == pytest.approx(100 * (values <= 10000).mean(), abs=0.5)


def test_statistic_sets_have_sums_and_no_percentiles(cloudwatch, name):
    for count, total, low, high in ((4, 20.0, 2.0, 9.0), (1, 30.0, 30.0, 30.0)):
        summary = {"SampleCount": count, "Sum": total, "Minimum": low, "Maximum": high}
        cloudwatch.put_metric_data(
            Namespace="Test", MetricData=[{"MetricName": name, "Timestamp": NOW, "StatisticValues": summary}]
        )
    asked = {
        "Namespace": "Test",
        "MetricName": name,
        "StartTime": NOW - HOUR,
        "EndTime": NOW + MINUTE,
        "Period": 60,
    }
    (point,) = cloudwatch.get_metric_statistics(**asked, Statistics=["Sum", "Minimum", "Maximum", "Average"])[
        "Datapoints"
    ]
    assert (point["Sum"], point["Minimum"], point["Maximum"], point["Average"]) == (50.0, 2.0, 30.0, 10.0)
    assert cloudwatch.get_metric_statistics(**asked, ExtendedStatistics=["p50"])["Datapoints"] == []


def test_periods_begin_at_whole_multiples_of_themselves(cloudwatch, name):
    start = NOW.replace(minute=0) - HOUR
    for minute in (4, 5, 9, 11):
        cloudwatch.put_metric_data(
            Namespace="Test",
            MetricData=[{"MetricName": name, "Timestamp": start + minute * MINUTE, "Value": float(minute)}],
        )
    points = cloudwatch.get_metric_statistics(
        Namespace="Test",
        MetricName=name,
        StartTime=start + 2 * MINUTE,
        EndTime=start + 30 * MINUTE,
        Period=300,
        Statistics=["Sum"],
    )["Datapoints"]
    found = {point["Timestamp"]: point["Sum"] for point in points}
    assert found == {start: 4.0, start + 5 * MINUTE: 14.0, start + 10 * MINUTE: 11.0}


VALUE = {"MetricName": "m", "Value": 1.0}


@pytest.mark.parametrize(
    ("namespace", "datum", "code"),
    [
        ("AWS/SageMaker", VALUE, "InvalidParameterValue"),
        ("Test", {"MetricName": "m"}, "MissingParameter"),
        ("Test", {**VALUE, "Values": [1.0]}, "InvalidParameterCombination"),
        ("Test", {"MetricName": "m", "Values": [1.0, 2.0], "Counts": [1.0]}, "InvalidParameterValue"),
        ("Test", {"MetricName": "m", "Values": [1.0] * 151}, "InvalidParameterValue"),
        ("Test", {**VALUE, "Timestamp": NOW - 15 * 24 * HOUR}, "InvalidParameterValue"),
        ("Test", {**VALUE, "Timestamp": NOW + 3 * HOUR}, "InvalidParameterValue"),
        ("Test", {**VALUE, "StorageResolution": 5}, "InvalidParameterValue"),
        ("Test", {**VALUE, "Value": 2.0**361}, "InvalidParameterValue"),
        ("Test", {**VALUE, "Unit": "Furlongs"}, "ValidationError"),
        ("Test", {"MetricName": "", "Value": 1.0}, "ValidationError"),
    ],
)
def test_data_that_the_service_refuses(server, refusal, namespace, datum, code):
    unchecked = server.client("cloudwatch", parameter_validation=False)
    assert refusal(unchecked.put_metric_data, Namespace=namespace, MetricData=[datum])[0] == code


def test_data_refused_in_part_is_not_put_at_all(cloudwatch, name, refusal):
    data = [{"MetricName": name, "Value": 1.0}, {"MetricName": name, "Value": 2.0**361}]
    refusal(cloudwatch.put_metric_data, Namespace="Test", MetricData=data)
    assert cloudwatch.list_metrics(MetricName=name)["Metrics"] == []


def test_too_many_data_points_are_refused_in_the_services_words(cloudwatch, refusal):
    asked = {"Namespace": "Test", "MetricName": "m", "Statistics": ["Sum"], "EndTime": NOW}
    code, message = refusal(cloudwatch.get_metric_statistics, **asked, StartTime=NOW - 48 * HOUR, Period=60)
    assert code == "InvalidParameterCombination"
    assert message == (
        "You have requested up to 2,880 datapoints, which exceeds the limit of 1,440. You may reduce the "
        "datapoints requested by increasing Period, or decreasing the time range."
    )
    assert refusal(cloudwatch.get_metric_statistics, **asked, StartTime=NOW - HOUR, Period=61)[0] == (
        "ValidationError"
    )
    assert refusal(cloudwatch.get_metric_statistics, **asked, StartTime=NOW, Period=60)[0] == (
        "InvalidParameterValue"
    )


def test_metrics_are_listed_by_namespace_name_and_dimensions(cloudwatch, world):
    namespace = world.name("Namespace")
    data = [
        {"MetricName": f"m{number % 2}", "Dimensions": [{"Name": "N", "Value": f"{number:03}"}], "Value": 1.0}
        for number in range(502)
    ]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace))
    assert [len(page["Metrics"]) for page in pages] == [500, 2]
    assert len(cloudwatch.list_metrics(Namespace=namespace, MetricName="m0")["Metrics"]) == 251
    wanted = {"Name": "N", "Value": "007"}
    assert cloudwatch.list_metrics(Namespace=namespace, Dimensions=[wanted])["Metrics"] == [
        {"Namespace": namespace, "MetricName": "m1", "Dimensions": [wanted]}
    ]
    assert cloudwatch.list_metrics(Namespace=namespace, Dimensions=[{"Name": "Other"}])["Metrics"] == []


def test_invocations_are_measured_by_variant_and_by_configuration(world, cloudwatch, wait_until):
    config = world.config(world.variant(world.model("echo"), count=2))
    endpoint = world.endpoint(config)
    for _ in range(5):
        world.invoke(endpoint)
    start = datetime.datetime.now(datetime.UTC) - HOUR
    variant = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "main"}]
    for dimensions in (variant, [*variant, {"Name": "EndpointConfigName", "Value": config}]):

        def measured(metric, statistic, dimensions=dimensions):
            data = cloudwatch.get_metric_data(
                MetricDataQueries=[
                    {
                        "Id": "m",
                        "MetricStat": {
                            "Metric": {
                                "Namespace": "AWS/SageMaker",
                                "MetricName": metric,
                                "Dimensions": dimensions,
                            },
                            "Period": 7200,
                            "Stat": statistic,
                        },
                    }
                ],
                StartTime=start,
                EndTime=start + 2 * HOUR,
            )
            return sum(data["MetricDataResults"][0]["Values"])

        assert measured("Invocations", "Sum") == 5
        assert measured("InvocationsPerInstance", "Sum") == 2.5
        assert measured("Invocation4XXErrors", "Sum") == 0
        assert measured("Invocation5XXErrors", "SampleCount") == 5
        assert measured("InvocationModelErrors", "Average") == 0
        assert measured("ModelLatency", "p50") > 0
        assert measured("OverheadLatency", "SampleCount") == 5


@pytest.mark.parametrize(("model", "errors"), [("raises", [0, 1, 1]), ("refuses", [1, 0, 1])])
def test_errors_of_the_container_are_measured(world, cloudwatch, refusal, model, errors):
    endpoint = world.endpoint(world.release(model))
    refusal(world.invoke, endpoint)

    def total(metric):
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=[
                {"Name": "EndpointName", "Value": endpoint},
                {"Name": "VariantName", "Value": "main"},
            ],
            StartTime=NOW - HOUR,
            EndTime=NOW + HOUR,
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points)

    metrics = ("Invocation4XXErrors", "Invocation5XXErrors", "InvocationModelErrors")
    assert [total(metric) for metric in metrics] == errors


def test_instances_are_measured(world, cloudwatch, wait_until):
    endpoint = world.endpoint(world.config(world.variant(world.model("echo"), count=2)))
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "main"}]

    def highest(metric):
        points = cloudwatch.get_metric_statistics(
            Namespace="/aws/sagemaker/Endpoints",
            MetricName=metric,
            Dimensions=dimensions,
            StartTime=NOW - HOUR,
            EndTime=NOW + HOUR,
            Period=60,
            Statistics=["Maximum", "SampleCount"],
        )["Datapoints"]
        return max((point["Maximum"] for point in points), default=0)

    wait_until(lambda: 0 < highest("MemoryUtilization") < 100, "its memory is measured")

    def busy():
        world.invoke(endpoint)
        return highest("CPUUtilization") > 0

    wait_until(busy, "its use of the CPU is measured")


def query(identity, metric, **members):
    stat = {"Metric": {"Namespace": "Test", "MetricName": metric}, "Period": 60, "Stat": "Sum"}
    return {"Id": identity, "MetricStat": stat, **members}


@pytest.fixture(scope="module")
def steps(cloudwatch, shared_world):
    """Two metrics over five minutes: 5 4 3 2 1, and 10 in every other."""
    every, other = shared_world.name("Every"), shared_world.name("Other")
    for minutes in range(5):
        values = [(every, minutes + 1.0), *([(other, 10.0)] if minutes % 2 == 0 else [])]
        data = [
            {"MetricName": metric, "Timestamp": NOW - minutes * MINUTE, "Value": value}
            for metric, value in values
        ]
        cloudwatch.put_metric_data(Namespace="Test", MetricData=data)
    return every, other


def ask(cloudwatch, steps, **members):
    every, other = steps
    queries = [query("m1", every), query("m2", other)]
    defaults = {"StartTime": NOW - 4 * MINUTE, "EndTime": NOW + MINUTE, "ScanBy": "TimestampAscending"}
    extra = members.pop("queries", [])
    return cloudwatch.get_metric_data(MetricDataQueries=[*queries, *extra], **{**defaults, **members})


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("m1 / m2 * 100", [50, 30, 10]),
        ("FILL(m2, 0)", [10, 0, 10, 0, 10]),
        ("FILL(m2, REPEAT) + 1", [11, 11, 11, 11, 11]),
        ("SUM([m1, m2])", [15, 4, 13, 2, 11]),
        ("SUM(METRICS())", [15, 4, 13, 2, 11]),
        ("MAX(METRICS('m1'))", [5, 4, 3, 2, 1]),
        ("AVG([m1, m2])", [7.5, 4, 6.5, 2, 5.5]),
        ("m1 - MIN(m1)", [4, 3, 2, 1, 0]),
        ("IF(m1 > 3, m1, 0)", [5, 4, 0, 0, 0]),
        ("IF(m1 >= 2 && m1 < 5 || m1 == 5, 1)", [1, 1, 1, 1]),
        ("RATE(m1) * PERIOD(m1)", [-1, -1, -1, -1]),
        ("DIFF(m1)", [-1, -1, -1, -1]),
        ("-m1 ^ 2", [-25, -16, -9, -4, -1]),
        ("RUNNING_SUM(m1)", [5, 9, 12, 14, 15]),
        ("m1 / 0", []),
        ("TIME_SERIES(7)", [7, 7, 7, 7, 7]),
    ],
)
def test_metric_math(cloudwatch, steps, expression, values):
    answer = ask(cloudwatch, steps, queries=[{"Id": "e1", "Expression": expression, "Label": "result"}])
    (result,) = [one for one in answer["MetricDataResults"] if one["Id"] == "e1"]
    assert result["Label"] == "result"
    assert result["Values"] == pytest.approx(values)


@pytest.mark.parametrize(
    "expression",
    [
        "m1 +",
        "m3",
        "e1 + 1",
        "SUM(m1)",
        "SORT(m1)",
        "m1.real",
        "[x for x in m1]",
        "__import__('os')",
        "FILL(m1)",
    ],
)
def test_expressions_that_are_no_metric_math_are_refused(cloudwatch, steps, refusal, expression):
    code, message = refusal(ask, cloudwatch, steps, queries=[{"Id": "e1", "Expression": expression}])
    assert code == "ValidationError"
    assert "e1" in message


def test_data_come_in_pages_of_data_points_and_newest_first(cloudwatch, steps):
    tokens, pages = {}, []
    while not pages or tokens:
        answer = ask(cloudwatch, steps, ScanBy="TimestampDescending", MaxDatapoints=3, **tokens)
        pages.append([(one["Id"], one["Values"], one["StatusCode"]) for one in answer["MetricDataResults"]])
        tokens = {"NextToken": answer["NextToken"]} if "NextToken" in answer else {}
    assert pages == [
        [("m1", [1, 2, 3], "PartialData")],
        [("m1", [4, 5], "Complete"), ("m2", [10], "PartialData")],
        [("m2", [10, 10], "Complete")],
    ]


def test_only_what_is_to_be_returned_is(cloudwatch, steps):
    every, _ = steps
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[query("m1", every, ReturnData=False), {"Id": "double", "Expression": "m1 * 2"}],
        StartTime=NOW - 4 * MINUTE,
        EndTime=NOW + MINUTE,
    )
    (result,) = answer["MetricDataResults"]
    assert (result["Id"], result["Values"]) == ("double", [2, 4, 6, 8, 10])
    assert result["Timestamps"][0] == NOW


def test_the_region_of_the_signature_is_minded(server, refusal):
    code, _ = refusal(server.client("cloudwatch", region="us-east-1").list_metrics)
    assert code == "InvalidSignatureException"
