"""Somebody who works in AWS with boto3 and without Playout.

    python3 newsroom.py http://127.0.0.1:4599 eu-central-1 make          # a running flow; prints its ARN
    python3 newsroom.py http://127.0.0.1:4599 eu-central-1 show ARN      # all that AWS says of it
"""

import json
import sys

import boto3

url, region, command = sys.argv[1:4]
aws = boto3.client(
    "mediaconnect",
    endpoint_url=url,
    region_name=region,
    aws_access_key_id="AKIASOMEBODYELSE",
    aws_secret_access_key="simulator-secret",
)


def output(name, port, status):
    return {
        "Name": name,
        "Protocol": "rtp",
        "Destination": "203.0.113.99",
        "Port": port,
        "OutputStatus": status,
        "OutputTags": {"desk": name},
    }


if command == "make":
    source = {
        "Name": "main",
        "Protocol": "srt-listener",
        "IngestPort": 5000,
        "WhitelistCidr": "198.51.100.0/24",
        "SourceTags": {"desk": "uplink"},
    }
    arn = aws.create_flow(Name="newsroom", Sources=[source], FlowTags={"team": "news"})["Flow"]["FlowArn"]
    aws.add_flow_outputs(FlowArn=arn, Outputs=[output("wall", 5004, "ENABLED"), output("archive", 5006, "DISABLED")])
    aws.start_flow(FlowArn=arn)
    aws.get_waiter("flow_active").wait(FlowArn=arn)
    print(arn)
else:
    flow = aws.describe_flow(FlowArn=sys.argv[4])["Flow"]
    parts = [flow["FlowArn"], *(s["SourceArn"] for s in flow["Sources"]), *(o["OutputArn"] for o in flow["Outputs"])]
    tags = {part: aws.list_tags_for_resource(ResourceArn=part)["Tags"] for part in parts}
    print(json.dumps({"flow": flow, "tags": tags}, default=str, indent=1, sort_keys=True))
