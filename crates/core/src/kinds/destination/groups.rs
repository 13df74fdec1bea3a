//! The channel in a Destination's own words: its output groups are its endpoints, and in what it differs has the names of the fields.

use std::collections::BTreeMap;

use crate::encoding::Encoding;
use crate::endpoint::Role;
use crate::resources::channel::{ChannelSettings, Difference, EncodingName, Part, RtmpTarget};

/// What a channel sends to, by endpoint.
#[must_use]
pub fn targets(settings: &ChannelSettings) -> BTreeMap<Role, &RtmpTarget> {
    let of = |role: Role| Some((role, settings.outputs.get(&role.into())?.to.rtmp()?));
    [Role::Primary, Role::Backup].into_iter().filter_map(of).collect()
}

/// The endpoints that it sends to.
pub(super) fn fed(settings: &ChannelSettings) -> Vec<Role> {
    targets(settings).into_keys().collect()
}

/// What it encodes, where nothing else of it is otherwise than was ever requested.
pub(super) fn encoding(settings: &ChannelSettings) -> Option<&Encoding> {
    settings.encodings.get(&EncodingName::main()).filter(|_| settings.altered.is_empty())
}

/// The names of the fields, each once: first what is of the whole channel, then the primary's and the backup's.
#[must_use]
pub fn fields(differences: &[Difference]) -> Vec<&'static str> {
    let mut list: Vec<_> = differences.iter().map(field).collect();
    let order = |name: &&str| FIELDS.iter().position(|known| known == name);
    list.sort_by_key(order);
    list.dedup();
    list
}

const FIELDS: [&str; 12] = [
    "role",
    "input",
    "encoding",
    "url",
    "streamKey",
    "username",
    "password",
    "backup.url",
    "backup.streamKey",
    "backup.username",
    "backup.password",
    "backup",
];

fn field(Difference { output, what }: &Difference) -> &'static str {
    let is_backup = match output.as_ref().map(|name| name.role()) {
        Some(Some(Role::Backup)) => true,
        Some(Some(Role::Primary)) => false,
        Some(None) => return "encoding",
        None => {
            return match what {
                Part::Role => "role",
                Part::Inputs => "input",
                _ => "encoding",
            };
        }
    };
    match (what, is_backup) {
        (Part::Presence, false) | (Part::Address, false) => "url",
        (Part::StreamKey, false) => "streamKey",
        (Part::Username, false) => "username",
        (Part::Password, false) => "password",
        (Part::Presence, true) => "backup",
        (Part::Address, true) => "backup.url",
        (Part::StreamKey, true) => "backup.streamKey",
        (Part::Username, true) => "backup.username",
        (Part::Password, true) => "backup.password",
        _ => "encoding",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::channel::OutputName;

    #[test]
    fn each_difference_has_the_name_of_a_field_once_and_in_order() {
        let of = |output: Option<&str>, what| Difference { output: output.map(OutputName::new), what };
        let all = [
            of(Some("backup"), Part::Presence),
            of(Some("backup"), Part::StreamKey),
            of(Some("primary"), Part::Address),
            of(Some("primary"), Part::Settings),
            of(Some("somebody's"), Part::Presence),
            of(None, Part::Foreign),
            of(None, Part::Inputs),
        ];
        assert_eq!(fields(&all), ["input", "encoding", "url", "backup.streamKey", "backup"]);
    }
}
