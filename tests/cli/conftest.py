import json
from pathlib import Path

import pytest

SUITE = {
    "name": "predictions",
    "expectations": [{"type": "expect_column_to_exist", "kwargs": {"column": "p"}}],
}
SPEC = """\
name: churn
environment: prod
aws:
  region: eu-west-1
  role_arn: arn:aws:iam::123456789012:role/sagemaker-execution
  store: s3://ml-platform/endpoint-deploy
model:
  artifact: s3://ml-platform/models/churn/model.tar.gz
  image:
    framework: sklearn
    version: 1.2-1
endpoint:
  variants:
    - instance_type: ml.m5.large
smoke_tests:
  - name: one
    payload: payloads/one.json
    expected: payloads/one.expected.json
    expectations: suite.json
"""


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """A directory with one good spec, `churn.yaml`, and the files that it names."""
    (tmp_path / "payloads").mkdir()
    (tmp_path / "payloads" / "one.json").write_text("[1, 2]")
    (tmp_path / "payloads" / "one.expected.json").write_text("[0]")
    (tmp_path / "suite.json").write_text(json.dumps(SUITE))
    (tmp_path / "churn.yaml").write_text(SPEC)
    return tmp_path
