"""Walks the simulator with boto3, a client that nobody here wrote.

    python3 boto3_test.py http://127.0.0.1:4599

Needs boto3 1.44.5, the first whose models this simulator was made from: its flows have RTMP outputs.
The simulator should run with --speed 50 or more, or this takes as long as AWS.
"""

import json
import sys
import time
import urllib.request
from datetime import datetime, timedelta, timezone

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL = sys.argv[1]
REGION = "eu-central-1"


def client(service, secret="simulator-secret"):
    return boto3.client(
        service,
        endpoint_url=URL,
        region_name=REGION,
        aws_access_key_id="AKIAPLAYOUTSIMULATOR",
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}),
    )


def refused(code, status, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        found = (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
        assert found == (code, status), error.response
        # Systems Manager says nothing but the code when a parameter is not there.
        assert error.response["Error"]["Message"] or code == "ParameterNotFound", error.response
        return error.response
    raise AssertionError(f"{call.__name__} must be refused with {code}")


def wait_for(status, flow):
    for _ in range(300):
        seen = mediaconnect.describe_flow(FlowArn=flow)["Flow"]["Status"]
        if seen == status:
            return
        time.sleep(0.05)
    raise AssertionError(f"the flow is {seen} and not {status}")


mediaconnect = client("mediaconnect")


def identity():
    assert client("sts").get_caller_identity()["Account"] == "123456789012"
    refused("InvalidSignatureException", 403, client("mediaconnect", "wrong").list_flows)


def secrets():
    api = client("secretsmanager")
    arn = api.create_secret(Name="live/srt", SecretString="a long passphrase", Tags=[{"Key": "a", "Value": "b"}])["ARN"]
    refused("ResourceExistsException", 400, api.create_secret, Name="live/srt", SecretString="x")
    assert api.get_secret_value(SecretId=arn)["SecretString"] == "a long passphrase"
    api.put_secret_value(SecretId="live/srt", SecretString="another passphrase")
    assert api.get_secret_value(SecretId=arn, VersionStage="AWSPREVIOUS")["SecretString"] == "a long passphrase"
    api.update_secret(SecretId=arn, Description="of the show")
    api.tag_resource(SecretId=arn, Tags=[{"Key": "c", "Value": "d"}])
    api.untag_resource(SecretId=arn, TagKeys=["a"])
    seen = api.describe_secret(SecretId=arn)
    assert seen["Description"] == "of the show" and seen["Tags"] == [{"Key": "c", "Value": "d"}]
    assert isinstance(seen["CreatedDate"], datetime)
    listed = api.list_secrets(Filters=[{"Key": "tag-key", "Values": ["c"]}])["SecretList"]
    assert [secret["Name"] for secret in listed] == ["live/srt"]
    return arn


def forget(secret):
    api = client("secretsmanager")
    api.delete_secret(SecretId=secret)
    refused("InvalidRequestException", 400, api.get_secret_value, SecretId=secret)
    api.restore_secret(SecretId=secret)
    api.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    refused("ResourceNotFoundException", 400, api.describe_secret, SecretId=secret)
    refused("InvalidRequestException", 400, api.create_secret, Name="live/srt", SecretString="x")


def parameters():
    api = client("ssm")
    api.put_parameter(Name="/live/key", Value="hunter2", Type="SecureString")
    refused("ParameterAlreadyExists", 400, api.put_parameter, Name="/live/key", Value="x", Type="SecureString")
    assert api.get_parameter(Name="/live/key", WithDecryption=True)["Parameter"]["Value"] == "hunter2"
    assert api.get_parameter(Name="/live/key")["Parameter"]["Value"] != "hunter2"
    many = api.get_parameters(Names=["/live/key", "/none"], WithDecryption=True)
    assert len(many["Parameters"]) == 1 and many["InvalidParameters"] == ["/none"]
    api.add_tags_to_resource(ResourceType="Parameter", ResourceId="/live/key", Tags=[{"Key": "a", "Value": "b"}])
    tags = api.list_tags_for_resource(ResourceType="Parameter", ResourceId="/live/key")["TagList"]
    assert tags == [{"Key": "a", "Value": "b"}]
    api.delete_parameter(Name="/live/key")
    refused("ParameterNotFound", 400, api.get_parameter, Name="/live/key")


def flow(secret):
    key = {"KeyType": "srt-password", "RoleArn": "arn:aws:iam::123456789012:role/media", "SecretArn": secret}

    def source(name, port):
        return {
            "Name": name,
            "Protocol": "srt-listener",
            "IngestPort": port,
            "WhitelistCidr": "203.0.113.0/24",
            "Decryption": key,
        }

    failover = {
        "State": "ENABLED",
        "FailoverMode": "FAILOVER",
        "SourcePriority": {"PrimarySource": "primary"},
    }
    made = mediaconnect.create_flow(
        Name="show",
        Sources=[source("primary", 5000), source("backup", 5001)],
        SourceFailoverConfig=failover,
        FlowTags={"team": "live"},
    )["Flow"]
    arn = made["FlowArn"]
    assert made["Source"]["Name"] == "primary" and len(made["Sources"]) == 2
    refused("BadRequestException", 400, mediaconnect.stop_flow, FlowArn=arn)

    outputs = mediaconnect.add_flow_outputs(
        FlowArn=arn,
        Outputs=[
            {
                "Name": "youtube",
                "Protocol": "rtmp-push",
                "Destination": "a.rtmps.example.net",
                "Port": 443,
                "RtmpPushSettings": {
                    "ApplicationName": "live2",
                    "StreamName": "stream-key",
                    "TlsEncryption": {"EncryptionType": "PUBLIC", "EncryptionConfiguration": {"Public": {}}},
                },
                "OutputTags": {"platform": "youtube"},
            },
            {"Name": "studio", "Protocol": "srt-caller", "Destination": "198.51.100.7", "Port": 6000},
        ],
    )["Outputs"]
    youtube = outputs[0]
    assert youtube["OutputStatus"] == "ENABLED"
    assert youtube["Transport"]["Protocol"] == "rtmp-push"
    assert youtube["Transport"]["RtmpPushOutputSettings"]["StreamName"] == "stream-key"
    tags = mediaconnect.list_tags_for_resource(ResourceArn=youtube["OutputArn"])["Tags"]
    assert tags == {"platform": "youtube"}
    wrong = {"Name": "x", "Protocol": "rtmp-push", "Destination": "rtmp://a.example.net/live", "Port": 1935}
    wrong["RtmpPushSettings"] = {"ApplicationName": "live", "StreamName": "key"}
    refused("BadRequestException", 400, mediaconnect.add_flow_outputs, FlowArn=arn, Outputs=[wrong])

    mediaconnect.start_flow(FlowArn=arn)
    wait_for("ACTIVE", arn)
    updated = mediaconnect.update_flow_output(FlowArn=arn, OutputArn=youtube["OutputArn"], OutputStatus="DISABLED")
    assert updated["Output"]["OutputStatus"] == "DISABLED"
    mediaconnect.remove_flow_output(FlowArn=arn, OutputArn=outputs[1]["OutputArn"])
    mediaconnect.update_flow_source(FlowArn=arn, SourceArn=made["Sources"][1]["SourceArn"], MinLatency=500)
    wait_for("ACTIVE", arn)
    metadata = mediaconnect.describe_flow_source_metadata(FlowArn=arn)
    assert metadata["TransportMediaInfo"]["Programs"][0]["Streams"][0]["Codec"] == "H264"
    assert isinstance(metadata["Timestamp"], datetime)
    pages = mediaconnect.get_paginator("list_flows").paginate(PaginationConfig={"PageSize": 1})
    assert [flow["FlowArn"] for page in pages for flow in page["Flows"]] == [arn]
    return arn, made["Sources"][0]["SourceArn"]


def metrics(source):
    now = datetime.now(timezone.utc)

    def values(name):
        metric = {
            "Namespace": "AWS/MediaConnect",
            "MetricName": name,
            "Dimensions": [{"Name": "SourceARN", "Value": source}],
        }
        answer = client("cloudwatch").get_metric_data(
            MetricDataQueries=[{"Id": "q", "MetricStat": {"Metric": metric, "Period": 10, "Stat": "Average"}}],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(seconds=1),
        )
        result = answer["MetricDataResults"][0]
        assert len(result["Timestamps"]) == len(result["Values"])
        assert all(isinstance(timestamp, datetime) for timestamp in result["Timestamps"])
        return result["Values"]

    for _ in range(100):
        if values("SourceConnected"):
            break
        time.sleep(0.05)
        now = datetime.now(timezone.utc)
    assert set(values("SourceConnected")) == {1.0}
    assert set(values("SourceBitRate")) == {6_000_000.0}
    assert values("NoSuchMetric") == []
    refused("ValidationError", 400, client("cloudwatch").get_metric_data, MetricDataQueries=[], StartTime=now, EndTime=now)
    listed = client("cloudwatch").list_metrics(Namespace="AWS/MediaConnect", MetricName="SourceConnected")
    assert any(metric["Dimensions"] == [{"Name": "SourceARN", "Value": source}] for metric in listed["Metrics"])


def end(arn):
    refused("BadRequestException", 400, mediaconnect.delete_flow, FlowArn=arn)
    mediaconnect.stop_flow(FlowArn=arn)
    wait_for("STANDBY", arn)
    mediaconnect.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert mediaconnect.delete_flow(FlowArn=arn)["Status"] == "DELETING"
    for _ in range(300):
        try:
            mediaconnect.describe_flow(FlowArn=arn)
        except mediaconnect.exceptions.NotFoundException:
            return
        time.sleep(0.05)
    raise AssertionError("the flow is never gone")


def becomes(state, describe, **arguments):
    for _ in range(600):
        seen = describe(**arguments)["State"]
        if seen == state:
            return
        time.sleep(0.05)
    raise AssertionError(f"{arguments} is {seen} and not {state}")


def channel(flow):
    """A channel that takes the flow and sends to one receiver."""
    api = client("medialive")
    role = "arn:aws:iam::123456789012:role/media"
    request = {"Name": "show", "Type": "MEDIACONNECT", "RoleArn": role, "MediaConnectFlows": [{"FlowArn": flow}]}
    made = api.create_input(RequestId="once", **request)["Input"]
    assert api.create_input(RequestId="once", **request)["Input"]["Id"] == made["Id"]
    becomes("DETACHED", api.describe_input, InputId=made["Id"])
    outputs = mediaconnect.describe_flow(FlowArn=flow)["Flow"]["Outputs"]
    assert made["Arn"] in [output.get("MediaLiveInputArn") for output in outputs]
    group = {
        "Name": "rtmp",
        "OutputGroupSettings": {"RtmpGroupSettings": {"RestartDelay": 15, "CacheLength": 30}},
        "Outputs": [
            {
                "OutputName": "rtmp0",
                "VideoDescriptionName": "v",
                "AudioDescriptionNames": ["a"],
                "OutputSettings": {"RtmpOutputSettings": {"Destination": {"DestinationRefId": "d"}}},
            }
        ],
    }
    settings = {
        "Name": "show",
        "RoleArn": role,
        "ChannelClass": "SINGLE_PIPELINE",
        "InputSpecification": {"Codec": "AVC", "Resolution": "HD", "MaximumBitrate": "MAX_10_MBPS"},
        "InputAttachments": [
            {
                "InputId": made["Id"],
                "InputAttachmentName": "primary",
                "InputSettings": {"AudioSelectors": [{"Name": "default"}]},
            }
        ],
        "Destinations": [{"Id": "d", "Settings": [{"Url": "rtmps://live.example.net/app", "StreamName": "key"}]}],
        "EncoderSettings": {
            "TimecodeConfig": {"Source": "SYSTEMCLOCK"},
            "VideoDescriptions": [{"Name": "v", "CodecSettings": {"H264Settings": {"Bitrate": 4_500_000}}}],
            "AudioDescriptions": [{"Name": "a", "AudioSelectorName": "default"}],
            "OutputGroups": [group],
        },
    }
    refused("UnprocessableEntityException", 422, api.create_channel, **{**settings, "ChannelClass": "STANDARD"})
    # RTMP carries AAC, and it must be asked for.
    refused("UnprocessableEntityException", 422, api.create_channel, **settings)
    settings["EncoderSettings"]["AudioDescriptions"][0]["CodecSettings"] = {"AacSettings": {"Bitrate": 128000.0}}
    api.create_channel(DryRun=True, **settings)
    ident = api.create_channel(Tags={"team": "live"}, **settings)["Channel"]["Id"]
    becomes("IDLE", api.describe_channel, ChannelId=ident)
    assert api.start_channel(ChannelId=ident)["State"] == "STARTING"
    becomes("RUNNING", api.describe_channel, ChannelId=ident)
    refused("ConflictException", 409, api.update_channel, ChannelId=ident, RoleArn=role)
    assert api.list_channels()["Channels"][0]["Tags"] == {"team": "live"}
    assert api.list_alerts(ChannelId=ident)["Alerts"] == []
    api.stop_channel(ChannelId=ident)
    becomes("IDLE", api.describe_channel, ChannelId=ident)
    api.delete_channel(ChannelId=ident)
    becomes("DETACHED", api.describe_input, InputId=made["Id"])
    api.delete_input(InputId=made["Id"])
    becomes("DELETED", api.describe_input, InputId=made["Id"])


def told(method, path, body):
    """A call of the control API."""
    request = urllib.request.Request(f"{URL}/_sim/{path}", json.dumps(body).encode(), method=method)
    urllib.request.urlopen(request).close()


def stream():
    """A channel of IVS that somebody pushes to."""
    api = client("ivs")
    made = api.create_channel(name="show", tags={"team": "live"})
    arn, key = made["channel"]["arn"], made["streamKey"]
    assert api.get_stream_key(arn=key["arn"])["streamKey"]["value"] == key["value"]
    assert "value" not in api.list_stream_keys(channelArn=arn)["streamKeys"][0]
    assert api.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "live"}
    # Its errors have their text in a member that botocore does not read.
    try:
        api.get_stream(channelArn=arn)
        raise AssertionError("nobody pushes")
    except api.exceptions.ChannelNotBroadcasting as error:
        assert error.response["exceptionMessage"], error.response
    publisher = f"publishers/{made['channel']['ingestEndpoint']}?stream={key['value']}"
    told("PUT", publisher, {})
    for _ in range(300):
        live = api.list_streams()["streams"]
        if live:
            break
        time.sleep(0.05)
    assert live[0]["channelArn"] == arn and live[0]["state"] == "LIVE" and isinstance(live[0]["startTime"], datetime)
    try:
        api.delete_channel(arn=arn)
        raise AssertionError("it is live")
    except api.exceptions.ConflictException:
        pass
    told("PUT", publisher, {"connected": False})
    for _ in range(300):
        if not api.list_streams()["streams"]:
            break
        time.sleep(0.05)
    assert api.get_stream_session(channelArn=arn)["streamSession"]["truncatedEvents"][0]["name"] == "Stream End"
    api.delete_channel(arn=arn)


def quotas():
    api = client("service-quotas")
    pages = api.get_paginator("list_service_quotas").paginate(ServiceCode="medialive")
    found = {quota["QuotaName"]: quota for page in pages for quota in page["Quotas"]}
    assert found["Channels"]["Value"] == 5 and found["Push Inputs"]["Value"] == 5
    code = found["Channels"]["QuotaCode"]
    assert api.get_service_quota(ServiceCode="medialive", QuotaCode=code)["Quota"]["Adjustable"]
    refused("NoSuchResourceException", 400, api.get_service_quota, ServiceCode="medialive", QuotaCode="L-0")


if __name__ == "__main__":
    identity()
    parameters()
    secret_arn = secrets()
    flow_arn, source_arn = flow(secret_arn)
    metrics(source_arn)
    channel(flow_arn)
    stream()
    quotas()
    end(flow_arn)
    forget(secret_arn)
    print(f"boto3 {boto3.__version__}: all good")
