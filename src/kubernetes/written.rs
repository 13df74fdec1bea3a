//! What this process has written itself and its caches do not show yet.
//!
//! A cache that lags shows an object as it was before our own write. What is decided on that is mended by the conflict of the next
//! write; but where the status that is computed is the old one again, there is no next write, and the stored status stays what is
//! not true any more. So a pass takes the object that this process has stored, as long as the cache shows one that it has
//! replaced.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kube::{Resource, ResourceExt as _};
use tokio::time::Instant;

/// So long a write is remembered. A watch that is further behind has been cut off, and lists anew when it is back.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);
/// So many versions that were replaced are known of an object.
const VERSIONS: usize = 64;

/// The newest writes, by object.
#[derive(Debug, Default)]
pub struct Written(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    objects: HashMap<String, Stored>,
    /// When each was written, oldest first.
    order: VecDeque<(Instant, String)>,
}

#[derive(Debug)]
struct Stored {
    at: Instant,
    /// The versions that are older, as far as they are known. Versions are compared for equality alone.
    replaced: VecDeque<String>,
    object: Arc<dyn Any + Send + Sync>,
    version: String,
}

impl Written {
    /// The API server has stored this in the place of these versions.
    pub fn stored<K: Resource + Clone + Send + Sync + 'static>(&self, replaced: &[Option<String>], object: &K) {
        let (Some(uid), Some(version)) = (object.uid(), object.resource_version()) else { return };
        let now = Instant::now();
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut older = match inner.objects.remove(&uid) {
            Some(Stored { replaced, version, .. }) => {
                let mut older = replaced;
                older.push_back(version);
                older
            }
            None => VecDeque::new(),
        };
        older.extend(replaced.iter().flatten().cloned());
        older.retain(|older| *older != version);
        older.drain(..older.len().saturating_sub(VERSIONS));
        let object = Arc::new(object.clone());
        inner.objects.insert(uid.clone(), Stored { at: now, replaced: older, object, version });
        inner.order.push_back((now, uid));
        while inner.order.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > REMEMBERED_FOR) {
            let Some((at, uid)) = inner.order.pop_front() else { break };
            if inner.objects.get(&uid).is_some_and(|stored| stored.at == at) {
                inner.objects.remove(&uid);
            }
        }
    }

    /// The object as it is known to be stored: what the cache shows, unless this process has replaced that.
    pub fn newer<K: Resource + Clone + Send + Sync + 'static>(&self, cached: Arc<K>) -> Arc<K> {
        let (Some(uid), Some(version)) = (cached.uid(), cached.resource_version()) else { return cached };
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stored) = inner.objects.get(&uid) else { return cached };
        if stored.replaced.contains(&version) {
            let own: Result<Arc<K>, _> = stored.object.clone().downcast();
            return own.unwrap_or(cached);
        }
        if stored.version == version {
            inner.objects.remove(&uid);
        }
        cached
    }
}

#[cfg(test)]
mod tests {
    use playout_api::Destination;
    use serde_json::json;

    use super::*;

    fn object(uid: &str, version: &str) -> Destination {
        serde_json::from_value(json!({ "apiVersion": "playout.dev/v1alpha1", "kind": "Destination",
            "spec": { "from": { "name": "a" } }, "metadata": { "name": "one", "uid": uid, "resourceVersion": version } }))
        .expect("a Destination")
    }

    fn shown(written: &Written, uid: &str, version: &str) -> Option<String> {
        written.newer(Arc::new(object(uid, version))).resource_version()
    }

    #[test]
    fn a_cache_that_is_behind_our_own_writes_is_not_believed() {
        let written = Written::default();
        let of = |version: &str| Some(version.to_owned());
        assert_eq!(shown(&written, "u", "4"), of("4"), "nothing was written");
        // Somebody has stored 5 meanwhile.
        written.stored(&[of("4"), of("5")], &object("u", "6"));
        written.stored(&[of("6")], &object("u", "7"));
        for older in ["4", "5", "6"] {
            assert_eq!(shown(&written, "u", older), of("7"), "{older} was replaced");
        }
        assert_eq!(shown(&written, "other", "4"), of("4"));
        assert_eq!(shown(&written, "u", "9"), of("9"), "somebody's later version");
        assert_eq!(shown(&written, "u", "7"), of("7"));
        assert_eq!(shown(&written, "u", "4"), of("4"), "forgotten, once the cache has shown it");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_written_long_ago_is_forgotten() {
        let written = Written::default();
        written.stored(&[Some("1".into())], &object("a", "2"));
        tokio::time::advance(REMEMBERED_FOR * 2).await;
        written.stored(&[Some("1".into())], &object("b", "2"));
        assert_eq!(shown(&written, "a", "1").as_deref(), Some("1"));
        assert_eq!(shown(&written, "b", "1").as_deref(), Some("2"));
    }
}
