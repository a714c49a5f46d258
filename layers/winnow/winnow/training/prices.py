"""What AWS charges for trainings, in dollars. Documented, not measured: list prices of us-east-1 for arm64, as of March 2026.

Sources: https://aws.amazon.com/lambda/pricing/, https://aws.amazon.com/fargate/pricing/ and https://aws.amazon.com/vpc/pricing/.
Other Regions and x86_64 cost up to a third more.
"""

# For each GB of memory and second, and for each call.
LAMBDA_GB_SECOND, LAMBDA_CALL = 0.0000133334, 0.20e-6
# For each hour of a task: its virtual CPUs, its memory, and the public address that it has in a public subnet.
FARGATE_VCPU_HOUR, FARGATE_GB_HOUR, ADDRESS_HOUR = 0.03238, 0.00356, 0.005
# AWS names a discount of "up to 70 %". It changes with supply and demand.
SPOT_SAVES_AT_MOST = 0.7


def of_lambdas(seconds: float, memory_mb: int, calls: int) -> float:
    """Of calls of a function with this memory that take so many seconds together."""
    return seconds * memory_mb / 1024 * LAMBDA_GB_SECOND + calls * LAMBDA_CALL


def of_container(seconds: float, vcpus: int, memory_mb: int) -> float:
    """Of a task on Fargate, not on Spot."""
    return seconds / 3600 * (vcpus * FARGATE_VCPU_HOUR + memory_mb / 1024 * FARGATE_GB_HOUR + ADDRESS_HOUR)
