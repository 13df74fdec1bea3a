//! Reads of flows, shared: twenty Destinations of one Source ask once.
//!
//! A read may be shared only if it began after everything that this process has done to the flow, and not longer ago than the
//! asker accepts. So nobody decides from a view that is older than our own last change.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use playout_core::flow::Flow;
use playout_core::plan::Failure;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::media_connect::{ListedFlow, MediaConnect};
use super::pace::Urgency;
use crate::clock::Clock;

/// Tags of a resource change only by our own hand or somebody's in the console; how long they are believed.
const TAGS_FOR: Duration = Duration::from_secs(600);

type Shared<T> = Arc<Mutex<Option<(Instant, T)>>>;
type Tags = std::collections::BTreeMap<String, String>;

/// Shared reads of flows.
#[derive(Debug)]
pub struct Flows {
    media_connect: Arc<MediaConnect>,
    clock: Clock,
    described: Mutex<HashMap<String, Shared<Option<Arc<Flow>>>>>,
    changed: Mutex<HashMap<String, Instant>>,
    listed: Shared<Arc<Vec<ListedFlow>>>,
    tags: Mutex<HashMap<String, (Instant, Tags)>>,
}

impl Flows {
    pub(super) fn new(media_connect: Arc<MediaConnect>, clock: Clock) -> Self {
        Self {
            media_connect,
            clock,
            described: Mutex::default(),
            changed: Mutex::default(),
            listed: Arc::default(),
            tags: Mutex::default(),
        }
    }

    /// The flow, as it was not longer than `age` ago; `None` when AWS says that there is none.
    ///
    /// # Errors
    /// AWS gave no answer.
    pub async fn describe(&self, arn: &str, age: Duration, urgency: Urgency) -> Result<Option<Arc<Flow>>, Failure> {
        let shared = self.described.lock().await.entry(arn.to_string()).or_default().clone();
        let asked = self.clock.instant();
        let mut last = shared.lock().await;
        let changed = self.changed.lock().await.get(arn).copied();
        if let Some((began, flow)) = &*last
            && *began + age >= asked
            && changed.is_none_or(|c| *began >= c)
        {
            return Ok(flow.clone());
        }
        let began = self.clock.instant();
        let flow = self.media_connect.describe_flow(arn, urgency).await?.map(Arc::new);
        *last = Some((began, flow.clone()));
        Ok(flow)
    }

    /// To be called after every change of a flow, whatever its answer.
    pub async fn touched(&self, arn: &str) {
        self.changed.lock().await.insert(arn.to_string(), self.clock.instant());
    }

    /// Believes nothing of a flow or an output that was read before now.
    pub async fn doubt(&self, arn: &str) {
        self.tags.lock().await.remove(arn);
        self.touched(arn).await;
    }

    /// To be called after a flow was made or removed: the list is read anew.
    pub async fn list_changed(&self) {
        *self.listed.lock().await = None;
    }

    /// The flows of that name. AWS does not keep names unique.
    ///
    /// # Errors
    /// AWS gave no answer.
    pub async fn named(&self, name: &str, age: Duration) -> Result<Vec<ListedFlow>, Failure> {
        Ok(self.all(age).await?.iter().filter(|f| f.name == name).cloned().collect())
    }

    /// All flows of the region.
    ///
    /// # Errors
    /// AWS gave no answer.
    pub async fn all(&self, age: Duration) -> Result<Arc<Vec<ListedFlow>>, Failure> {
        let asked = self.clock.instant();
        let mut last = self.listed.lock().await;
        let list = match &*last {
            Some((began, list)) if *began + age >= asked => list.clone(),
            _ => {
                let began = self.clock.instant();
                let list = Arc::new(self.media_connect.list_flows().await?);
                *last = Some((began, list.clone()));
                list
            }
        };
        Ok(list)
    }

    /// Tags of a flow or an output.
    ///
    /// # Errors
    /// AWS gave no answer, or says that it is gone.
    pub async fn tags(&self, arn: &str) -> Result<Tags, Failure> {
        let now = self.clock.instant();
        if let Some((read, tags)) = self.tags.lock().await.get(arn)
            && now < *read + TAGS_FOR
        {
            return Ok(tags.clone());
        }
        let tags = self.media_connect.tags(arn).await?;
        self.tags.lock().await.insert(arn.to_string(), (now, tags.clone()));
        Ok(tags)
    }

    /// Remembers tags that we have just set.
    pub async fn tagged(&self, arn: &str, tags: &Tags) {
        let now = self.clock.instant();
        let mut known = self.tags.lock().await;
        let entry = known.entry(arn.to_string()).or_insert_with(|| (now, Tags::new()));
        entry.0 = now;
        entry.1.extend(tags.iter().map(|(k, v)| (k.clone(), v.clone())));
    }

    /// Forgets what is known of a resource that is gone, or that somebody wants to be looked at anew.
    pub async fn forget(&self, arn: &str) {
        self.tags.lock().await.remove(arn);
        self.described.lock().await.remove(arn);
        self.changed.lock().await.remove(arn);
    }
}
