"""Another value than the default for each parameter of template.yaml."""

from __future__ import annotations

KEY = "arn:aws:kms:us-east-1:000000000000:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
# Those that have an effect on the local cloud.
OTHERS = {
    "DatasetBuckets": "a-bucket-of-ours",
    "BucketOwners": "111122223333",
    "BucketKeys": KEY,
    "KmsKey": KEY,
    "Encoder": "none",
    "EncoderBucket": "a-bucket-of-encoders",
    "EncoderLanguages": "de,fr",
    "TrainingMemory": "2048",
    "TrainingTimeout": "600",
    "MostRows": "1000",
    "MostBytes": "1000000",
    "UploadDays": "2",
    "MostUnpackedRatio": "20",
    "MostTextCharacters": "2000",
    "MostLabels": "50",
    "MostTrainings": "1",
    "MostBatches": "2",
    "LongestTraining": "60",
    "LargeTrainings": "123456789012.dkr.ecr.us-east-1.amazonaws.com/winnow-training:1",  # deployed, and never started
    "LargeTrainingsNetwork": "private",
    "PredictConcurrency": "3",
    "TrainConcurrency": "2",
    "BatchConcurrency": "1",
    "BatchDays": "3",
    "Inbox": "true",
    "KeepData": "true",  # samconfig.toml has "false" for the local cloud of all other end-to-end tests
    "SnapStart": "true",
    "AccessLogs": "true",
    "LogDays": "7",
    "CorsOrigin": "https://app.example.org",
    "ClassifyRequestsPerSecond": "30",
    "ClassifyRequestsPerDay": "4000",
    "RequestsPerSecond": "40",
    "RequestsPerDay": "5000",
    "AdminRequestsPerSecond": "60",
    "AdminRequestsPerDay": "6000",
}
EVERY = {
    **OTHERS,
    "Architecture": "x86_64",
    "Authorizer": "AWS_IAM",
    "DeploymentPreference": "Canary10Percent10Minutes",
    "Tracing": "Active",
    "KeepData": "false",
    "VpcEndpoints": "vpce-0123456789abcdef0",
}
