//! Tags.

use serde_json::{Map, Value, json};

use crate::aws::{Aws, bad, caller_output, listener, refused, text};

#[test]
fn flows_sources_and_outputs_are_tagged_when_they_are_made() {
    let aws = Aws::new();
    let (mut source, mut output) = (listener("primary", 5000), caller_output("studio"));
    source["sourceTags"] = json!({ "part": "source" });
    output["outputTags"] = json!({ "part": "output" });
    let arn = aws.flow_of(json!({
        "name": "show", "source": source, "outputs": [output], "flowTags": { "part": "flow" },
    }));
    let flow = aws.describe(&arn);
    for (arn, part) in [
        (&flow["flowArn"], "flow"),
        (&flow["source"]["sourceArn"], "source"),
        (&flow["outputs"][0]["outputArn"], "output"),
    ] {
        let tags = aws.mediaconnect("ListTagsForResource", json!({ "ResourceArn": arn })).expect("tags");
        assert_eq!(tags["tags"], json!({ "part": part }));
    }
    assert!(flow.get("flowTags").is_none() && flow["source"].get("sourceTags").is_none());
}

#[test]
fn tags_can_be_added_replaced_and_removed_in_every_state() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    aws.mediaconnect("StartFlow", json!({ "FlowArn": arn })).expect("start");
    let tag = |tags: Value| aws.mediaconnect("TagResource", json!({ "ResourceArn": arn, "tags": tags }));
    tag(json!({ "a": "1", "b": "2", "c": "3" })).expect("tag");
    tag(json!({ "a": "9" })).expect("tag");
    let untag = json!({ "ResourceArn": arn, "tagKeys": ["b", "c"] });
    aws.mediaconnect("UntagResource", untag).expect("untag");
    let tags = aws.mediaconnect("ListTagsForResource", json!({ "ResourceArn": arn })).expect("tags");
    assert_eq!(tags["tags"], json!({ "a": "9" }));
}

#[test]
fn tags_have_limits() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let tag = |tags: Value| aws.mediaconnect("TagResource", json!({ "ResourceArn": arn, "tags": tags }));
    let many = |n: usize| -> Value {
        Value::Object((0..n).map(|n| (format!("k{n}"), json!("v"))).collect::<Map<String, Value>>())
    };
    bad(tag(many(51)), "at most 50 tags");
    tag(many(50)).expect("fifty");
    bad(tag(json!({ "one more": "v" })), "at most 50 tags");
    bad(tag(json!({ "k0": "v".repeat(257) })), "longer than 256");
    bad(tag(json!({ "k".repeat(129): "v" })), "between 1 and 128");
    bad(tag(json!({ "aws:x": "v" })), "must not start with aws:");
}

#[test]
fn the_tags_of_what_is_not_there_are_not_found() {
    let aws = Aws::new();
    let arn = "arn:aws:mediaconnect:eu-west-1:123456789012:flow:1-a:b";
    refused(aws.mediaconnect("ListTagsForResource", json!({ "ResourceArn": arn })), 404, "NotFoundException", arn);
    let tag = json!({ "ResourceArn": text(&json!(arn)), "tags": { "a": "b" } });
    refused(aws.mediaconnect("TagResource", tag), 404, "NotFoundException", arn);
}
