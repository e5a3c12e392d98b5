"""The role that is there from the start, for callers that need one to run models and jobs as."""

import json

from local_sagemaker.backing.moto import Moto

_API_VERSION = "2010-05-08"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:*", "sagemaker:*", "logs:*", "cloudwatch:*", "ecr:*", "sns:Publish", "sqs:*"],
            "Resource": "*",
        }
    ],
}


async def create_execution_role(moto: Moto, arn: str) -> None:
    """Create the role, with what models and jobs commonly need."""
    name = arn.rpartition("/")[2]
    role = {"Action": "CreateRole", "RoleName": name, "AssumeRolePolicyDocument": json.dumps(_TRUST)}
    await moto.query("iam", {"Version": _API_VERSION, **role})
    policy = {"RoleName": name, "PolicyName": "models-and-jobs", "PolicyDocument": json.dumps(_POLICY)}
    await moto.query("iam", {"Version": _API_VERSION, "Action": "PutRolePolicy", **policy})
