//! Objects of our kinds as the API server gives them: read so that one which this version does not understand is one object, and
//! not the end of a list, of a watch or of a pass (`playout_core::stored`).

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::object::HasStatus;
use playout_api::NOT_UNDERSTOOD;
use playout_core::stored::{Stored, read};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An object that was read leniently.
#[derive(Clone, Debug)]
pub struct Guarded<K>(pub K);

impl<'de, K: Stored> Deserialize<'de> for Guarded<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(serde_json::Value::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}

impl<K: Serialize + Resource + Clone> Serialize for Guarded<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let annotations = self.0.meta().annotations.as_ref();
        if annotations.is_none_or(|annotations| !annotations.contains_key(NOT_UNDERSTOOD)) {
            return self.0.serialize(serializer);
        }
        // The mark is ours alone.
        let mut object = self.0.clone();
        object.meta_mut().annotations.as_mut().and_then(|annotations| annotations.remove(NOT_UNDERSTOOD));
        object.serialize(serializer)
    }
}

impl<K: Resource> Resource for Guarded<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(dt: &K::DynamicType) -> Cow<'_, str> {
        K::kind(dt)
    }

    fn group(dt: &K::DynamicType) -> Cow<'_, str> {
        K::group(dt)
    }

    fn version(dt: &K::DynamicType) -> Cow<'_, str> {
        K::version(dt)
    }

    fn plural(dt: &K::DynamicType) -> Cow<'_, str> {
        K::plural(dt)
    }

    fn meta(&self) -> &ObjectMeta {
        self.0.meta()
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.0.meta_mut()
    }
}

impl<K: HasStatus> HasStatus for Guarded<K> {
    type Status = K::Status;

    fn status(&self) -> Option<&K::Status> {
        self.0.status()
    }

    fn status_mut(&mut self) -> &mut Option<K::Status> {
        self.0.status_mut()
    }
}
