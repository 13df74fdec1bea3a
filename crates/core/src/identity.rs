//! Identity: names and ownership tags.
//!
//! Identity is cluster, kind, namespace and name. Names in AWS and tags come from these four alone, so that an object that
//! was restored, or deleted with `Retain` and created again, finds its resources. The UID tells generations apart.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::intent::CreateIntent;

/// Tag that names the cluster.
pub const TAG_CLUSTER: &str = "playout.dev/cluster";
/// Tag that names the kind of the object.
pub const TAG_KIND: &str = "playout.dev/kind";
/// Tag that names the object's namespace.
pub const TAG_NAMESPACE: &str = "playout.dev/namespace";
/// Tag that names the object.
pub const TAG_NAME: &str = "playout.dev/name";
/// Tag that tells generations of an object apart.
pub const TAG_UID: &str = "playout.dev/uid";
/// Tag of a flow that was there before its Source and has become that Source's own: its changes were confirmed. Its value names
/// the object, so that the mark of an earlier owner means nothing.
pub const TAG_ADOPTED: &str = "playout.dev/adopted";

/// The letter of five bits, in digests and fingerprints in names.
#[expect(clippy::indexing_slicing, reason = "five bits have 32 values, and there are as many letters")]
pub(crate) fn letter(byte: &u8) -> char {
    const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    char::from(BASE32[usize::from(byte & 31)])
}

/// Who owns a resource.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Identity {
    /// Which cluster (`--cluster-id`, by default the UID of namespace kube-system).
    pub cluster: String,
    /// Kind of the object.
    pub kind: String,
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
    /// UID of the object.
    pub uid: String,
}

/// The tags that say whose a resource is.
pub const OWNERSHIP_TAGS: [&str; 5] = [TAG_CLUSTER, TAG_KIND, TAG_NAMESPACE, TAG_NAME, TAG_UID];

/// Whose tags a resource bears, for people; `None` when it bears nobody's.
#[must_use]
pub fn owner(tags: &BTreeMap<String, String>) -> Option<String> {
    let said = [TAG_CLUSTER, TAG_KIND, TAG_NAMESPACE, TAG_NAME].map(|key| tags.get(key));
    if said.iter().all(Option::is_none) {
        return None;
    }
    let [cluster, kind, namespace, name] = said.map(|value| value.map_or("(not said)", String::as_str));
    Some(format!("{kind} {name} of namespace {namespace} in cluster {cluster}"))
}

/// What the tags of a resource say of its owner.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ownership {
    /// Made by this object.
    Ours,
    /// Made by an earlier object of this name; it is taken up and its UID tag renewed.
    Inherited,
    /// It bore this object's own UID, and another object of this identity has put its own there: two clusters have one
    /// identity, or had, and the other one is in charge.
    TakenOver,
    /// Somebody else's: never touched.
    Foreign,
}

impl Ownership {
    /// Whether it may be touched.
    #[must_use]
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Ours | Self::Inherited)
    }
}

impl Identity {
    /// The ownership tags, on top of the user's. They always win.
    #[must_use]
    pub fn tags(&self, user: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut tags: BTreeMap<String, String> =
            user.iter().filter(|(k, _)| !k.starts_with("playout.dev/")).map(|(k, v)| (k.clone(), v.clone())).collect();
        for (key, value) in [
            (TAG_CLUSTER, &self.cluster),
            (TAG_KIND, &self.kind),
            (TAG_NAMESPACE, &self.namespace),
            (TAG_NAME, &self.name),
            (TAG_UID, &self.uid),
        ] {
            tags.insert(key.into(), value.clone());
        }
        tags
    }

    /// Reads ownership from tags.
    #[must_use]
    pub fn ownership(&self, tags: &BTreeMap<String, String>) -> Ownership {
        let is = |key: &str, value: &str| tags.get(key).is_some_and(|v| v == value);
        if !(is(TAG_CLUSTER, &self.cluster)
            && is(TAG_KIND, &self.kind)
            && is(TAG_NAMESPACE, &self.namespace)
            && is(TAG_NAME, &self.name))
        {
            return Ownership::Foreign;
        }
        if is(TAG_UID, &self.uid) { Ownership::Ours } else { Ownership::Inherited }
    }

    /// The same, where it is recorded which UID the resource was last seen to bear as this object's own. A re-created or
    /// restored object has no such record, or one of the object before it, and inherits.
    #[must_use]
    pub fn ownership_after(&self, tags: &BTreeMap<String, String>, recorded: Option<&str>) -> Ownership {
        match self.ownership(tags) {
            // Tags that somebody has restored without a UID are nobody else's.
            Ownership::Inherited if recorded == Some(self.uid.as_str()) && tags.contains_key(TAG_UID) => {
                Ownership::TakenOver
            }
            other => other,
        }
    }

    /// Whose an output of a flow is. Its name has a digest of the identity in it, so that another name is another's, and ours is
    /// ours before its tags are known.
    #[must_use]
    pub fn ownership_of_output(
        &self,
        name: &str,
        role: &str,
        tags: Option<&BTreeMap<String, String>>,
        recorded: Option<&str>,
    ) -> Ownership {
        match tags {
            _ if name != self.output_name(role) => Ownership::Foreign,
            Some(tags) => self.ownership_after(tags, recorded),
            None => Ownership::Ours,
        }
    }

    /// Name of the flow of a Source.
    #[must_use]
    pub fn flow_name(&self) -> String {
        format!("playout-{}-{}", readable(&format!("{}-{}", self.namespace, self.name), 64), self.digest(""))
    }

    /// The mark of a flow that this Source has adopted.
    #[must_use]
    pub fn adoption_mark(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(TAG_ADOPTED.to_string(), self.flow_name())])
    }

    /// Name of an output of a Destination; unique within a flow, and so the key by which it is found again.
    #[must_use]
    pub fn output_name(&self, role: &str) -> String {
        format!("playout-{}-{role}-{}", readable(&self.name, 48), self.digest(role))
    }

    /// Name of the MediaLive channel of a Destination.
    #[must_use]
    pub fn channel_name(&self) -> String {
        self.medialive_name("channel")
    }

    /// Name of the MediaLive input of a Destination.
    #[must_use]
    pub fn input_name(&self) -> String {
        self.medialive_name("input")
    }

    fn medialive_name(&self, role: &str) -> String {
        let readable = readable(&format!("{}-{}", self.namespace, self.name), 64);
        format!("playout-{readable}-{role}-{}", self.digest(role))
    }

    /// The token by which AWS knows that two creates are one. From the UID, so that an object deleted and made again is not
    /// answered with the memory of the old one; from the intent, so that what was removed on purpose can be made again.
    #[must_use]
    pub fn request_token(&self, intent: &CreateIntent) -> String {
        let (role, since) = intent.of.as_ref().map_or(("", intent.at), |of| (of.role.as_str(), of.since));
        self.digest(&format!("{role} {} {since}", self.uid))
    }

    /// Name of the copy of a password in Secrets Manager. With another fingerprint it is another secret, so that what reads
    /// it is told an ARN that it has not read yet. Without one (the operator may not keep its key) there is one secret a role.
    #[must_use]
    pub fn secret_name(&self, role: &str, fingerprint: Option<&str>) -> String {
        let (namespace, name) = (readable(&self.namespace, 63), readable(&self.name, 64));
        let name = format!("playout/{namespace}/{name}/{role}-{}", self.digest(role));
        fingerprint.map_or(name.clone(), |fingerprint| format!("{name}-{fingerprint}"))
    }

    /// Sixty bits of the identity and the role. The namespace and name are in readable form beside it; this tells apart what
    /// cutting made equal, and clusters.
    fn digest(&self, role: &str) -> String {
        let mut hash = Sha256::new();
        for part in [&self.cluster, &self.kind, &self.namespace, &self.name, role] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().iter().take(12).map(letter).collect()
    }
}

/// Letters, digits and dashes only, and not too long; names of Kubernetes objects may have dots and 253 characters.
fn readable(name: &str, limit: usize) -> String {
    name.chars().take(limit).map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Identity, Ownership, TAG_CLUSTER, TAG_KIND, TAG_NAME, TAG_NAMESPACE, TAG_UID};

    fn identity() -> Identity {
        Identity {
            cluster: "c1".into(),
            kind: "Source".into(),
            namespace: "show".into(),
            name: "studio.a".into(),
            uid: "u1".into(),
        }
    }

    #[test]
    fn ownership_tags_win_over_user_tags() {
        let user = BTreeMap::from([
            (TAG_CLUSTER.to_string(), "mine".to_string()),
            ("playout.dev/other".into(), "x".into()),
            ("team".into(), "news".into()),
        ]);
        let tags = identity().tags(&user);
        assert_eq!(tags[TAG_CLUSTER], "c1");
        assert_eq!(tags["team"], "news");
        assert!(!tags.contains_key("playout.dev/other"));
    }

    #[test]
    fn another_uid_is_inherited_and_any_other_of_the_four_is_foreign() {
        let mut tags = identity().tags(&BTreeMap::new());
        assert_eq!(identity().ownership(&tags), Ownership::Ours);
        tags.insert(TAG_UID.into(), "u0".into());
        assert_eq!(identity().ownership(&tags), Ownership::Inherited);
        for key in [TAG_CLUSTER, TAG_KIND, TAG_NAMESPACE, TAG_NAME] {
            let mut others = tags.clone();
            others.insert(key.into(), "another".into());
            assert_eq!(identity().ownership(&others), Ownership::Foreign, "{key}");
            others.remove(key);
            assert_eq!(identity().ownership(&others), Ownership::Foreign, "{key}");
        }
        assert_eq!(identity().ownership(&BTreeMap::new()), Ownership::Foreign);
    }

    #[test]
    fn what_bore_our_uid_and_bears_another_was_taken_over() {
        let ours = identity().tags(&BTreeMap::new());
        let mut others = ours.clone();
        others.insert(TAG_UID.into(), "u2".into());
        for (tags, recorded, expected) in [
            (&ours, None, Ownership::Ours),
            (&ours, Some("u1"), Ownership::Ours),
            (&others, Some("u1"), Ownership::TakenOver),
            // Re-created, or restored with the status of the object before it.
            (&others, None, Ownership::Inherited),
            (&others, Some("u2"), Ownership::Inherited),
            (&BTreeMap::new(), Some("u1"), Ownership::Foreign),
        ] {
            assert_eq!(identity().ownership_after(tags, recorded), expected, "{recorded:?}");
            assert_eq!(expected.is_ours(), matches!(expected, Ownership::Ours | Ownership::Inherited));
        }
    }

    #[test]
    fn names_do_not_depend_on_the_uid_and_differ_between_objects() {
        let mut other = identity();
        other.uid = "u2".into();
        assert_eq!(identity().flow_name(), other.flow_name());
        assert!(identity().flow_name().starts_with("playout-show-studio-a-"));
        other.name = "studio-a".into();
        assert_ne!(identity().flow_name(), other.flow_name(), "a dot and a dash read alike but are not one object");
        other.namespace = "show-studio".into();
        other.name = "a".into();
        assert_ne!(identity().flow_name(), other.flow_name());
        assert_ne!(identity().output_name("primary"), identity().output_name("backup"));
    }
}
