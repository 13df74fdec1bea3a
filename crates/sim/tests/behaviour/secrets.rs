//! Secrets Manager and the Parameter Store.

use playout_sim::{Seed, SeedParameter};
use serde_json::{Value, json};

use crate::aws::{Aws, Failure, refused, text};

fn secrets(aws: &Aws, operation: &str, input: Value) -> Result<Value, Failure> {
    aws.call("secretsmanager", operation, input)
}

fn ssm(aws: &Aws, operation: &str, input: Value) -> Result<Value, Failure> {
    aws.call("ssm", operation, input)
}

const TOKEN: &str = "11111111-2222-3333-4444-555555555555";
const OTHER: &str = "99999999-2222-3333-4444-555555555555";

#[test]
fn a_secret_is_found_by_name_by_arn_and_by_arn_without_its_end() {
    let aws = Aws::new();
    let arn = aws.secret("live/key");
    let partial = arn.rsplit_once('-').expect("an end").0.to_owned();
    for id in ["live/key".to_owned(), arn, partial] {
        let got = secrets(&aws, "GetSecretValue", json!({ "SecretId": id })).expect("get");
        assert_eq!(got["SecretString"], "a long passphrase");
    }
}

#[test]
fn creating_a_secret_again_is_the_same_secret_only_with_the_same_token_and_value() {
    let aws = Aws::new();
    let create = |value: &str, token: &str| {
        secrets(&aws, "CreateSecret", json!({ "Name": "key", "SecretString": value, "ClientRequestToken": token }))
    };
    let first = create("one", TOKEN).expect("first");
    assert_eq!(create("one", TOKEN).expect("again"), first);
    refused(create("two", TOKEN), 400, "ResourceExistsException", "already exists");
    refused(create("one", OTHER), 400, "ResourceExistsException", "already exists");
}

#[test]
fn a_new_value_becomes_current_and_the_old_one_previous() {
    let aws = Aws::new();
    aws.secret("key");
    let put = json!({ "SecretId": "key", "SecretString": "new", "ClientRequestToken": TOKEN });
    let first = secrets(&aws, "PutSecretValue", put.clone()).expect("put");
    assert_eq!(secrets(&aws, "PutSecretValue", put).expect("the same again"), first);
    let other = json!({ "SecretId": "key", "SecretString": "newer", "ClientRequestToken": TOKEN });
    refused(secrets(&aws, "PutSecretValue", other), 400, "ResourceExistsException", TOKEN);
    let get = |stage: &str| {
        let input = json!({ "SecretId": "key", "VersionStage": stage });
        text(&secrets(&aws, "GetSecretValue", input).expect("get")["SecretString"])
    };
    assert_eq!((get("AWSCURRENT").as_str(), get("AWSPREVIOUS").as_str()), ("new", "a long passphrase"));
    let missing = json!({ "SecretId": "key", "VersionStage": "NONE" });
    refused(secrets(&aws, "GetSecretValue", missing), 400, "ResourceNotFoundException", "staging label: NONE");
}

#[test]
fn an_update_changes_value_and_description() {
    let aws = Aws::new();
    aws.secret("key");
    let update = json!({ "SecretId": "key", "SecretString": "new", "Description": "of the show" });
    assert!(secrets(&aws, "UpdateSecret", update).expect("update")["VersionId"].is_string());
    let seen = secrets(&aws, "DescribeSecret", json!({ "SecretId": "key" })).expect("describe");
    assert_eq!(seen["Description"], "of the show");
    assert_eq!(seen["VersionIdsToStages"].as_object().expect("versions").len(), 2);
}

#[test]
fn a_deleted_secret_waits_and_can_be_restored() {
    let aws = Aws::new();
    aws.secret("key");
    secrets(&aws, "DeleteSecret", json!({ "SecretId": "key", "RecoveryWindowInDays": 7 })).expect("delete");
    let get = || secrets(&aws, "GetSecretValue", json!({ "SecretId": "key" }));
    refused(get(), 400, "InvalidRequestException", "marked for deletion");
    assert!(
        secrets(&aws, "DescribeSecret", json!({ "SecretId": "key" })).expect("describe")["DeletedDate"].is_number()
    );
    let create = json!({ "Name": "key", "SecretString": "x" });
    refused(secrets(&aws, "CreateSecret", create), 400, "InvalidRequestException", "scheduled for deletion");
    secrets(&aws, "RestoreSecret", json!({ "SecretId": "key" })).expect("restore");
    get().expect("usable again");
}

#[test]
fn a_planned_deletion_happens_when_the_window_has_passed() {
    let aws = Aws::new();
    aws.secret("key");
    secrets(&aws, "DeleteSecret", json!({ "SecretId": "key", "RecoveryWindowInDays": 7 })).expect("delete");
    aws.pass(7 * 24 * 3600);
    refused(secrets(&aws, "DescribeSecret", json!({ "SecretId": "key" })), 400, "ResourceNotFoundException", "");
}

#[test]
fn a_secret_that_was_deleted_by_force_blocks_its_name_for_a_while() {
    let aws = Aws::new();
    let arn = aws.secret("key");
    let delete = || secrets(&aws, "DeleteSecret", json!({ "SecretId": "key", "ForceDeleteWithoutRecovery": true }));
    delete().expect("delete");
    delete().expect("once more is no error");
    refused(secrets(&aws, "DescribeSecret", json!({ "SecretId": arn })), 400, "ResourceNotFoundException", "");
    let create = || secrets(&aws, "CreateSecret", json!({ "Name": "key", "SecretString": "x" }));
    refused(create(), 400, "InvalidRequestException", "scheduled for deletion");
    aws.pass(10);
    assert_ne!(text(&create().expect("create")["ARN"]), arn);
}

#[test]
fn force_and_a_recovery_window_exclude_each_other() {
    let aws = Aws::new();
    aws.secret("key");
    let both = json!({ "SecretId": "key", "RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": true });
    refused(secrets(&aws, "DeleteSecret", both), 400, "InvalidParameterException", "ForceDeleteWithoutRecovery");
    let short = json!({ "SecretId": "key", "RecoveryWindowInDays": 6 });
    refused(secrets(&aws, "DeleteSecret", short), 400, "InvalidParameterException", "between 7 and 30");
}

#[test]
fn secrets_are_listed_by_filters_and_in_pages() {
    let aws = Aws::new();
    for (name, owner) in [("live/a", "one"), ("live/b", "two"), ("other", "one")] {
        let tags = json!([{ "Key": "owner", "Value": owner }]);
        let input = json!({ "Name": name, "SecretString": "x", "Tags": tags });
        secrets(&aws, "CreateSecret", input).expect("create");
    }
    let names = |input: Value| -> Vec<String> {
        let list = secrets(&aws, "ListSecrets", input).expect("list");
        list["SecretList"].as_array().expect("list").iter().map(|secret| text(&secret["Name"])).collect()
    };
    let filter = |key: &str, value: &str| json!({ "Key": key, "Values": [value] });
    assert_eq!(names(json!({ "Filters": [filter("name", "live/")] })), ["live/a", "live/b"]);
    assert_eq!(names(json!({ "Filters": [filter("tag-value", "one")] })), ["live/a", "other"]);
    let both = json!({ "Filters": [filter("tag-key", "owner"), filter("name", "!live")] });
    assert_eq!(names(both), ["other"]);
    let first = secrets(&aws, "ListSecrets", json!({ "MaxResults": 2 })).expect("list");
    assert_eq!(names(json!({ "MaxResults": 2, "NextToken": first["NextToken"] })), ["other"]);
    let wrong = json!({ "NextToken": "!" });
    refused(secrets(&aws, "ListSecrets", wrong), 400, "InvalidNextTokenException", "");
}

#[test]
fn secrets_have_tags() {
    let aws = Aws::new();
    aws.secret("key");
    let tag = |key: &str| json!({ "SecretId": "key", "Tags": [{ "Key": key, "Value": "v" }] });
    secrets(&aws, "TagResource", tag("a")).expect("tag");
    secrets(&aws, "TagResource", tag("b")).expect("tag");
    secrets(&aws, "UntagResource", json!({ "SecretId": "key", "TagKeys": ["a"] })).expect("untag");
    let seen = secrets(&aws, "DescribeSecret", json!({ "SecretId": "key" })).expect("describe");
    assert_eq!(seen["Tags"], json!([{ "Key": "b", "Value": "v" }]));
    refused(secrets(&aws, "TagResource", tag("aws:x")), 400, "InvalidParameterException", "aws:x");
}

#[test]
fn a_secure_parameter_is_readable_only_with_decryption() {
    let aws = Aws::new();
    let put = json!({ "Name": "/live/key", "Value": "hunter2", "Type": "SecureString" });
    assert_eq!(ssm(&aws, "PutParameter", put).expect("put")["Version"], 1);
    let get = |decrypt: bool| {
        let input = json!({ "Name": "/live/key", "WithDecryption": decrypt });
        text(&ssm(&aws, "GetParameter", input).expect("get")["Parameter"]["Value"])
    };
    assert_eq!(get(true), "hunter2");
    assert_ne!(get(false), "hunter2");
}

#[test]
fn a_parameter_is_overwritten_only_when_asked() {
    let aws = Aws::new();
    let put = |extra: Value| {
        let mut input = json!({ "Name": "key", "Value": "v", "Type": "String" });
        input.as_object_mut().expect("object").extend(extra.as_object().expect("object").clone());
        ssm(&aws, "PutParameter", input)
    };
    put(json!({})).expect("new");
    refused(put(json!({})), 400, "ParameterAlreadyExists", "overwrite");
    assert_eq!(put(json!({ "Overwrite": true, "Value": "w" })).expect("overwritten")["Version"], 2);
    let tags = json!([{ "Key": "a", "Value": "b" }]);
    refused(put(json!({ "Overwrite": true, "Tags": tags })), 400, "ValidationException", "can't be used together");
    let old = ssm(&aws, "GetParameter", json!({ "Name": "key:1" })).expect("version 1");
    assert_eq!(old["Parameter"]["Value"], "v");
}

#[test]
fn parameters_that_are_not_there_are_named() {
    let aws = Aws::new();
    ssm(&aws, "PutParameter", json!({ "Name": "a", "Value": "v", "Type": "String" })).expect("put");
    let many = ssm(&aws, "GetParameters", json!({ "Names": ["a", "b"] })).expect("get");
    assert_eq!(many["Parameters"][0]["Name"], "a");
    assert_eq!(many["InvalidParameters"], json!(["b"]));
    refused(ssm(&aws, "GetParameter", json!({ "Name": "b" })), 400, "ParameterNotFound", "");
    refused(ssm(&aws, "DeleteParameter", json!({ "Name": "b" })), 400, "ParameterNotFound", "");
    ssm(&aws, "DeleteParameter", json!({ "Name": "a" })).expect("delete");
}

#[test]
fn parameters_have_tags() {
    let aws = Aws::new();
    let put = json!({ "Name": "a", "Value": "v", "Type": "String", "Tags": [{ "Key": "x", "Value": "1" }] });
    ssm(&aws, "PutParameter", put).expect("put");
    let of = |id: &str| json!({ "ResourceType": "Parameter", "ResourceId": id });
    let mut add = of("a");
    add["Tags"] = json!([{ "Key": "y", "Value": "2" }]);
    ssm(&aws, "AddTagsToResource", add).expect("add");
    let tags = ssm(&aws, "ListTagsForResource", of("a")).expect("list");
    assert_eq!(tags["TagList"], json!([{ "Key": "x", "Value": "1" }, { "Key": "y", "Value": "2" }]));
    refused(ssm(&aws, "ListTagsForResource", of("b")), 400, "InvalidResourceId", "");
}

#[test]
fn a_world_can_start_with_parameters() {
    let aws = Aws::new();
    let parameter = SeedParameter {
        region: "eu-west-1".to_owned(),
        name: "/seeded".to_owned(),
        value: "v".to_owned(),
        r#type: "String".to_owned(),
    };
    aws.sim.seed(&Seed { parameters: vec![parameter], secrets: Vec::new() });
    assert_eq!(ssm(&aws, "GetParameter", json!({ "Name": "/seeded" })).expect("get")["Parameter"]["Value"], "v");
}
