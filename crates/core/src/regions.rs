//! Where the media services of AWS are. In a region without the service there is no host that could answer: an object that names
//! such a region is told so, and nothing is sent.
//!
//! The lists are those of the endpoint tables in the AWS General Reference, of 2026: `general/latest/gr/mediaconnect.html` and
//! `general/latest/gr/medialive_region.html`, and those of AWS's own `endpoints.json` (botocore 1.44.5), which has ap-southeast-5 for
//! MediaLive. AWS adds regions without telling us: `--more-regions` extends them.

use std::collections::BTreeSet;
use std::str::FromStr;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::api::destination::{Delivery, DestinationStatus};
use crate::api::source::SourceStatus;
use crate::api::{CREATE_INTENT, Destination, Source};
use crate::failure::Problem;
use crate::reasons::Reason;

/// A service that is not in every region.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Service {
    /// MediaConnect, for every Source and Destination.
    MediaConnect,
    /// MediaLive, for `delivery: Transcode`.
    MediaLive,
}

impl Service {
    const ALL: [Self; 2] = [Self::MediaConnect, Self::MediaLive];

    /// As AWS writes it.
    fn name(self) -> &'static str {
        match self {
            Self::MediaConnect => "MediaConnect",
            Self::MediaLive => "MediaLive",
        }
    }

    /// As the flag has it.
    fn word(self) -> &'static str {
        match self {
            Self::MediaConnect => "mediaconnect",
            Self::MediaLive => "medialive",
        }
    }

    fn listed(self) -> &'static [&'static str] {
        match self {
            Self::MediaConnect => &MEDIACONNECT,
            Self::MediaLive => &MEDIALIVE,
        }
    }
}

const MEDIACONNECT: [&str; 23] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-4",
    "ap-southeast-5",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "me-central-1",
    "sa-east-1",
];

const MEDIALIVE: [&str; 20] = [
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-4",
    "ap-southeast-5",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "me-central-1",
    "sa-east-1",
];

/// A service and a region that the lists do not know it to be in, as in `medialive=ap-east-1`.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Added {
    /// The service.
    pub service: Service,
    /// The region.
    pub region: String,
}

impl FromStr for Added {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no service and region: write mediaconnect= or medialive= and a region, as in medialive=ap-east-1"
            )
        };
        let (word, region) = text.split_once('=').ok_or_else(wrong)?;
        let service = Service::ALL.into_iter().find(|service| service.word() == word).ok_or_else(wrong)?;
        let is_region = region.split('-').count() >= 3
            && region.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && region.ends_with(|c: char| c.is_ascii_digit());
        if !is_region {
            return Err(wrong());
        }
        Ok(Self { service, region: region.into() })
    }
}

/// The lists, and what the operator was told beside them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Regions(BTreeSet<Added>);

impl FromIterator<Added> for Regions {
    fn from_iter<T: IntoIterator<Item = Added>>(added: T) -> Self {
        Self(added.into_iter().collect())
    }
}

impl Regions {
    /// Whether the service is there, as far as is known.
    #[must_use]
    pub fn has(&self, service: Service, region: &str) -> bool {
        service.listed().contains(&region) || self.0.iter().any(|a| a.service == service && a.region == region)
    }

    /// What keeps a Source from having a flow in its region; `default` is that of the operator.
    #[must_use]
    pub fn lacks_flow(&self, source: &Source, default: &str) -> Option<Problem> {
        if is_recorded(source) {
            return None;
        }
        let named_by = match (&source.spec.external, &source.spec.region) {
            (Some(_), _) => "spec.external.arn is of",
            (None, Some(_)) => "spec.region is",
            (None, None) => "spec.region is not set, and the operator's region is",
        };
        let remedy = "The region of a Source cannot be changed: delete it and create it in another one";
        self.lacks(Service::MediaConnect, source.spec.region().unwrap_or(default), named_by, remedy)
    }

    /// What keeps a Destination from sending from its region.
    #[must_use]
    pub fn lacks_output(&self, destination: &Destination, source: Option<&Source>, region: &str) -> Option<Problem> {
        let has_more = |status: &DestinationStatus| {
            status.flow_arn.is_some()
                || !status.outputs.is_empty()
                || status.channel.is_some()
                || !status.passwords.is_empty()
                || !status.not_ours.is_empty()
        };
        let is_recorded = destination.status.as_ref().is_some_and(has_more) || intends(&destination.metadata);
        if is_recorded || source.is_some_and(self::is_recorded) {
            return None;
        }
        let named_by = named_by(destination, source);
        self.lacks(Service::MediaConnect, region, &named_by, "Send from a Source in another region")
    }

    /// What keeps it from being encoded there.
    #[must_use]
    pub fn lacks_channel(&self, destination: &Destination, source: Option<&Source>, region: &str) -> Option<Problem> {
        if !needs_channel(destination) {
            return None;
        }
        let named_by = format!("spec.delivery Transcode needs MediaLive. {}", named_by(destination, source));
        let remedy = "Set spec.delivery to Passthrough, or send from a Source in another region";
        self.lacks(Service::MediaLive, region, &named_by, remedy)
    }

    /// What people are told when it is not: who names the region, and what they can do.
    fn lacks(&self, service: Service, region: &str, named_by: &str, remedy: &str) -> Option<Problem> {
        if self.has(service, region) {
            return None;
        }
        let (name, word) = (service.name(), service.word());
        let others = near(service, region).join(", ");
        Some(Problem::new(
            Reason::InvalidSpec,
            format!(
                "{named_by} {region}, where AWS has no {name} as far as Playout knows: nothing was asked of AWS. {remedy}, such as {others}. If AWS has it there by now, start the operator with --more-regions={word}={region}."
            ),
        ))
    }
}

/// The region in an ARN.
#[must_use]
pub fn region_in(arn: &str) -> Option<&str> {
    arn.split(':').nth(3).filter(|region| !region.is_empty())
}

/// The flow that the status of a Source records, the Source's own or not: none is made beside it.
#[must_use]
pub fn recorded_flow(status: &SourceStatus) -> Option<&str> {
    status.flow_arn.as_deref().or(status.not_ours.first().map(String::as_str))
}

/// The region of a Source: of its spec, else of the flow that it has. Another default region of the operator moves nothing.
#[must_use]
pub fn region_of(source: &Source) -> Option<&str> {
    let recorded = || source.status.as_ref().and_then(recorded_flow).and_then(region_in);
    source.spec.region().or_else(recorded)
}

/// Whether it is to have a channel, and nothing shows that MediaLive is there, whatever the lists say.
pub(crate) fn needs_channel(destination: &Destination) -> bool {
    let is_recorded =
        destination.status.as_ref().is_some_and(|s| s.channel.is_some()) || intends(&destination.metadata);
    !is_recorded && destination.spec.delivery == Delivery::Transcode
}

/// What is recorded shows that the service is there, whatever the lists say.
pub(crate) fn is_recorded(source: &Source) -> bool {
    let has_more = |status: &SourceStatus| {
        status.flow_arn.is_some() || !status.not_ours.is_empty() || !status.passwords.is_empty()
    };
    source.status.as_ref().is_some_and(has_more) || intends(&source.metadata)
}

/// Whether something was sent that may have made something.
fn intends(metadata: &ObjectMeta) -> bool {
    metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(CREATE_INTENT))
}

fn named_by(destination: &Destination, source: Option<&Source>) -> String {
    match (source, &destination.spec.region) {
        (Some(_), _) => format!("Source {} is in", destination.spec.from.name),
        (None, Some(_)) => "spec.region is".into(),
        (None, None) => "The operator's region is".into(),
    }
}

/// A few regions with the service, of the same part of the world where there are some.
fn near(service: Service, region: &str) -> Vec<&'static str> {
    let part = |name: &'static str| name.split('-').next();
    let same: Vec<_> = service.listed().iter().copied().filter(|name| part(name) == region.split('-').next()).collect();
    if same.is_empty() { vec!["us-east-1", "eu-west-1"] } else { same.into_iter().take(3).collect() }
}

#[cfg(test)]
mod tests {
    use super::{Added, MEDIACONNECT, MEDIALIVE, Regions, Service};

    fn told(flags: &[&str]) -> Regions {
        flags.iter().map(|flag| flag.parse::<Added>().expect("a flag")).collect()
    }

    #[test]
    fn a_service_is_where_aws_lists_it_and_where_the_operator_was_told() {
        let regions = Regions::default();
        for (region, connects, encodes) in [
            ("eu-central-1", true, true),
            ("us-west-1", true, false),
            ("af-south-1", true, false),
            ("eu-south-1", false, false),
            ("us-gov-west-1", false, false),
            ("us-moon-1", false, false),
        ] {
            assert_eq!(regions.has(Service::MediaConnect, region), connects, "{region}");
            assert_eq!(regions.has(Service::MediaLive, region), encodes, "{region}");
        }
        let more = told(&["medialive=us-west-1", "mediaconnect=eu-south-1"]);
        assert!(more.has(Service::MediaLive, "us-west-1") && more.has(Service::MediaConnect, "eu-south-1"));
        assert!(!more.has(Service::MediaLive, "eu-south-1"), "of the service that was named alone");
    }

    /// A channel takes the flow of its region.
    #[test]
    fn where_medialive_is_there_is_mediaconnect_and_nothing_is_listed_twice() {
        assert!(MEDIALIVE.iter().all(|region| MEDIACONNECT.contains(region)));
        for list in [&MEDIACONNECT[..], &MEDIALIVE[..]] {
            let mut once = list.to_vec();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), list.len());
        }
    }

    #[test]
    fn people_are_told_who_names_the_region_and_which_to_take() {
        let lacks = |service, region| Regions::default().lacks(service, region, "spec.region is", "Take another one");
        let told = lacks(Service::MediaConnect, "eu-south-1").expect("it is not there").message;
        let all =
            ["spec.region is eu-south-1", "no MediaConnect", "eu-central-1", "--more-regions=mediaconnect=eu-south-1"];
        assert!(all.iter().all(|part| told.contains(part)), "{told}");
        assert_eq!(lacks(Service::MediaConnect, "eu-west-1"), None);
        let told = lacks(Service::MediaLive, "mx-central-1").expect("it is not there").message;
        assert!(told.contains("such as us-east-1"), "{told}");
    }

    #[test]
    fn what_is_no_service_or_no_region_is_refused() {
        for text in ["eu-west-1", "mediapackage=eu-west-1", "medialive=", "medialive=Ireland", "medialive=eu-west-1 "] {
            assert!(text.parse::<Added>().is_err(), "{text}");
        }
    }
}
