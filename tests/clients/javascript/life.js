// The life of an endpoint, through the AWS SDK for JavaScript as it comes. Configured by the environment
// alone; prints what it has seen as one JSON object.

import { readFile } from "node:fs/promises";

import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  DescribeAlarmsCommand,
  GetMetricStatisticsCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
} from "@aws-sdk/client-cloudwatch";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  DeleteEndpointCommand,
  DescribeEndpointCommand,
  paginateListModels,
  SageMakerClient,
  waitUntilEndpointDeleted,
  waitUntilEndpointInService,
} from "@aws-sdk/client-sagemaker";
import {
  InvokeEndpointCommand,
  InvokeEndpointWithResponseStreamCommand,
  SageMakerRuntimeClient,
} from "@aws-sdk/client-sagemaker-runtime";

const BUCKET = "by-js";
const PATIENCE = { maxWaitTime: 60, minDelay: 1, maxDelay: 1 };
const [, , role] = process.argv;

const region = process.env.AWS_DEFAULT_REGION; // this SDK reads AWS_REGION alone
const sagemaker = new SageMakerClient({ region });
const runtime = new SageMakerRuntimeClient({ region });
const s3 = new S3Client({ region });
const cloudwatch = new CloudWatchClient({ region });

/** Upload an archive, and make a model and a configuration of that name from it. */
async function release(name, file) {
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: file, Body: await readFile(file) }));
  const container = {
    Image: "image:1",
    ModelDataUrl: `s3://${BUCKET}/${file}`,
    Environment: { RELEASE: "js" },
  };
  await sagemaker.send(
    new CreateModelCommand({ ModelName: name, ExecutionRoleArn: role, PrimaryContainer: container }),
  );
  const variant = {
    VariantName: "main",
    ModelName: name,
    InstanceType: "ml.m5.large",
    InitialInstanceCount: 1,
  };
  await sagemaker.send(
    new CreateEndpointConfigCommand({ EndpointConfigName: name, ProductionVariants: [variant] }),
  );
}

async function inService(name) {
  await sagemaker.send(new CreateEndpointCommand({ EndpointName: name, EndpointConfigName: name }));
  return waitUntilEndpointInService({ client: sagemaker, ...PATIENCE }, { EndpointName: name });
}

async function gone(name) {
  await sagemaker.send(new DeleteEndpointCommand({ EndpointName: name }));
  return waitUntilEndpointDeleted({ client: sagemaker, ...PATIENCE }, { EndpointName: name });
}

function invoke(name) {
  return runtime.send(
    new InvokeEndpointCommand({
      EndpointName: name,
      ContentType: "text/csv",
      Accept: "application/json",
      Body: "1,2",
    }),
  );
}

/** What a streaming model tells, put together. */
async function streamed(name) {
  const answer = await runtime.send(
    new InvokeEndpointWithResponseStreamCommand({
      EndpointName: name,
      ContentType: "text/csv",
      Body: "count 3",
    }),
  );
  let text = "";
  for await (const event of answer.Body) {
    text += Buffer.from(event.PayloadPart.Bytes).toString();
  }
  return text;
}

/** The error that a call ends with. */
async function errorOf(call) {
  try {
    await call;
  } catch (error) {
    return {
      name: error.name,
      message: error.Message ?? error.message,
      status: error.$metadata?.httpStatusCode,
      original: error.OriginalStatusCode,
    };
  }
  throw new Error("expected an error");
}

async function objects() {
  const body = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 256));
  const put = await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "bytes", Body: body }));
  const got = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: "bytes" }));
  const missing = await errorOf(s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: "missing" })));
  return {
    etag: put.ETag,
    same: body.equals(Buffer.from(await got.Body.transformToByteArray())),
    missing: missing.name,
  };
}

async function metrics() {
  const metric = { Namespace: "Js", MetricName: "Rows" };
  const data = [{ MetricName: "Rows", Value: 3 }, { MetricName: "Rows", Value: 4 }];
  await cloudwatch.send(new PutMetricDataCommand({ Namespace: "Js", MetricData: data }));
  const hour = 3_600_000;
  const found = await cloudwatch.send(
    new GetMetricStatisticsCommand({
      ...metric,
      StartTime: new Date(Date.now() - 2 * hour),
      EndTime: new Date(Date.now() + 2 * hour),
      Period: 4 * 3600,
      Statistics: ["Sum"],
    }),
  );
  await cloudwatch.send(
    new PutMetricAlarmCommand({
      ...metric,
      AlarmName: "by-js",
      Statistic: "Sum",
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: "GreaterThanThreshold",
    }),
  );
  const { MetricAlarms: alarms } = await cloudwatch.send(
    new DescribeAlarmsCommand({ AlarmNames: ["by-js"] }),
  );
  await cloudwatch.send(new DeleteAlarmsCommand({ AlarmNames: ["by-js"] }));
  return { sum: found.Datapoints.reduce((sum, point) => sum + point.Sum, 0), alarm: alarms[0].AlarmName };
}

async function pages() {
  const lengths = [];
  for await (const page of paginateListModels({ client: sagemaker, pageSize: 2 }, { NameContains: "By-Js" })) {
    lengths.push(page.Models.length);
  }
  return lengths;
}

await s3.send(
  new CreateBucketCommand({ Bucket: BUCKET, CreateBucketConfiguration: { LocationConstraint: region } }),
);
await release("By-Js", "model.tar.gz");
await release("By-Js-Failing", "failing.tar.gz");
await release("By-Js-Streaming", "streaming.tar.gz");

const names = ["By-Js", "By-Js-Failing", "By-Js-Streaming"];
const [inServiceResult] = await Promise.all(names.map(inService));
const answer = await invoke("By-Js");
const modelError = await errorOf(invoke("By-Js-Failing"));
const listed = await pages();
const stream = await streamed("By-Js-Streaming");
const [deletedResult] = await Promise.all(names.map(gone));

console.log(
  JSON.stringify({
    waited: { inService: inServiceResult.state, deleted: deletedResult.state },
    answer: JSON.parse(answer.Body.transformToString()),
    variant: answer.InvokedProductionVariant,
    contentType: answer.ContentType,
    pages: listed,
    stream,
    errors: {
      missing: await errorOf(sagemaker.send(new DescribeEndpointCommand({ EndpointName: "By-Js" }))),
      notFound: await errorOf(invoke("By-Js")),
      model: modelError,
    },
    s3: await objects(),
    cloudwatch: await metrics(),
  }),
);
