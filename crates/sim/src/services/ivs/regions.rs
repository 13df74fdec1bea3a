//! Where IVS is: the endpoints of low-latency streaming (General Reference, ivs.html).

pub(super) const ALL: &[&str] =
    &["ap-northeast-1", "ap-northeast-2", "ap-south-1", "eu-central-1", "eu-west-1", "us-east-1", "us-west-2"];
