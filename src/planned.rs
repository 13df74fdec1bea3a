//! `playout plan`: what would be done for the objects of a file, with no cluster and no AWS. It reads, decides and prints as a pass
//! does, and does nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use http::{Request, Response, StatusCode};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PartialObjectMeta;
use kube::client::Body;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{Store, store};
use kube::runtime::watcher::Event;
use playout_aws::clock::Clock;
use playout_aws::fence::Fence;
use playout_aws::recorded::Record;
use playout_aws::redact::Redactor;
use playout_aws::{Account, Settings};
use playout_core::identity::{TAG_CLUSTER, TAG_KIND, TAG_NAME, TAG_NAMESPACE, TAG_UID};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::attempts::Attempts;
use crate::config::Config;
use crate::kind::{Context, Kind};
use crate::kinds::{Each, each};
use crate::kubernetes::events::Recorder;
use crate::kubernetes::guard::Guarded;
use crate::kubernetes::secrets::Secrets;
use crate::lanes::{Lanes, Looks, Wishes};
use crate::metrics::Metrics;
use crate::reconcile::planned;
use crate::stores::{Fill, Ours, Stores};
use crate::wiring::Wiring;

/// What to plan, and from what.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// Manifests: objects of Playout's kinds and the Secrets that they name, as they are applied or as kubectl prints
    /// them with -o yaml. `-` is standard input.
    #[arg(short = 'f', long = "filename", required = true)]
    pub files: Vec<PathBuf>,
    /// What AWS has, as JSON. Nothing, when it is left out.
    #[arg(long)]
    pub observed: Option<PathBuf>,
    /// How the operator runs.
    #[command(flatten)]
    pub config: Config,
}

/// Prints what would be done next for each object.
///
/// # Errors
/// A file cannot be read or understood.
pub async fn run(arguments: Arguments) -> anyhow::Result<String> {
    let mut objects = Vec::new();
    for file in &arguments.files {
        objects.extend(manifests(&text_of(file)?).with_context(|| file.display().to_string())?);
    }
    let observed = match &arguments.observed {
        Some(file) => {
            serde_json::from_str(&text_of(file)?).with_context(|| format!("{} is no JSON", file.display()))?
        }
        None => json!({}),
    };
    plans(objects, observed, arguments.config).await
}

fn text_of(file: &Path) -> anyhow::Result<String> {
    if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

/// The objects of a stream of manifests, and of the lists in it.
///
/// # Errors
/// It is no YAML.
pub fn manifests(text: &str) -> anyhow::Result<Vec<Value>> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        match (line.trim_end(), documents.last_mut()) {
            ("---", _) => documents.push(String::new()),
            (_, Some(document)) => {
                document.push_str(line);
                document.push('\n');
            }
            (_, None) => {}
        }
    }
    let mut found = Vec::new();
    for document in documents.iter().filter(|document| has_something(document)) {
        let mut object: Value = serde_saphyr::from_str(document)?;
        match object.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => found.extend(items),
            _ => found.push(object),
        }
    }
    Ok(found)
}

fn has_something(document: &str) -> bool {
    document.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
}

/// What would be done next for each of these objects, in AWS as it was seen.
///
/// # Errors
/// An object has no name, or none of them is of ours.
pub async fn plans(objects: Vec<Value>, observed: Value, config: Config) -> anyhow::Result<String> {
    let record = Record::new(observed);
    let mut of_kind: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for mut object in objects {
        let kind = text(&object, "kind");
        ensure!(!kind.is_empty(), "a manifest without kind");
        complete(&mut object, &kind, &record).with_context(|| format!("a manifest of kind {kind}"))?;
        of_kind.entry(kind).or_default().push(object);
    }
    let context = context(&of_kind, &record, config).await?;
    let all = Plans { context: &context, texts: Mutex::default() };
    for each in each(&all) {
        each.await;
    }
    let plans = all.texts.into_inner().unwrap_or_else(PoisonError::into_inner);
    if plans.is_empty() {
        let kinds: Vec<_> = playout_api::crds().into_iter().map(|crd| crd.spec.names.kind).collect();
        bail!("there is no object of Playout's kinds ({}) in what was given", kinds.join(", "));
    }
    Ok(context.redactor.clean(&plans.join("\n")).into_owned())
}

fn text(value: &Value, member: &str) -> String {
    value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Adds what the API server would. What AWS has of an object is of that very object.
fn complete(object: &mut Value, kind: &str, record: &Record) -> anyhow::Result<()> {
    let metadata = object.get_mut("metadata").context("no metadata")?;
    let name = text(metadata, "name");
    ensure!(!name.is_empty(), "no metadata.name");
    let namespace = Some(text(metadata, "namespace")).filter(|namespace| !namespace.is_empty());
    let namespace = namespace.unwrap_or_else(|| "default".into());
    let tags = record.tags_like(&[(TAG_KIND, kind), (TAG_NAMESPACE, &namespace), (TAG_NAME, &name)]);
    let uid = tags.and_then(|tags| tags.get(TAG_UID)).and_then(Value::as_str);
    let uid = uid.map_or_else(|| format!("uid-of-{name}"), str::to_owned);
    let metadata = metadata.as_object_mut().context("no metadata")?;
    metadata.insert("namespace".into(), namespace.into());
    metadata.entry("uid").or_insert_with(|| uid.into());
    metadata.entry("generation").or_insert_with(|| json!(1));
    metadata.entry("resourceVersion").or_insert_with(|| "1".into());
    if kind == "Secret" {
        let plain = object.get_mut("stringData").map(Value::take);
        for (key, value) in plain.as_ref().and_then(Value::as_object).into_iter().flatten() {
            let bytes = value.as_str().unwrap_or_default().as_bytes().to_vec();
            let data = object.as_object_mut().context("no object")?.entry("data").or_insert_with(|| json!({}));
            data.as_object_mut().context("data is no object")?.insert(key.clone(), json!(ByteString(bytes)));
        }
    }
    Ok(())
}

/// The plans of all objects.
struct Plans<'a> {
    context: &'a Context,
    texts: Mutex<Vec<String>>,
}

impl Each for Plans<'_> {
    async fn each<K: Kind>(&self) {
        for object in sorted(K::objects(self.context)) {
            let text = planned::<K>(&object, self.context).await;
            self.texts.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        }
    }
}

/// Fills the caches with what was given.
struct Given<'a> {
    of_kind: &'a BTreeMap<String, Vec<Value>>,
    wiring: &'a Wiring,
}

impl Fill for Given<'_> {
    fn fill<K: Ours>(&mut self) -> anyhow::Result<Store<K>> {
        let objects = self.of_kind.get(&*K::kind(&()));
        let (store, _) = filled(objects, |Guarded(object): Guarded<K>| object)?;
        self.wiring.listed(&store.state());
        Ok(store)
    }
}

fn sorted<K: kube::Resource<DynamicType = ()> + Clone + 'static>(store: &Store<K>) -> Vec<Arc<K>> {
    let mut all = store.state();
    all.sort_by_key(|object| (object.meta().namespace.clone(), object.meta().name.clone()));
    all
}

fn filled<K, R>(objects: Option<&Vec<Value>>, read: impl Fn(R) -> K) -> anyhow::Result<(Store<K>, Writer<K>)>
where
    K: kube::Resource<DynamicType = ()> + Clone + 'static,
    R: DeserializeOwned,
{
    let (store, mut writer) = store();
    writer.apply_watcher_event(&Event::Init);
    for object in objects.into_iter().flatten() {
        let name = object.pointer("/metadata/name").cloned().unwrap_or_default();
        let object = serde_json::from_value(object.clone()).with_context(|| format!("{name} cannot be understood"))?;
        writer.apply_watcher_event(&Event::InitApply(read(object)));
    }
    writer.apply_watcher_event(&Event::InitDone);
    Ok((store, writer))
}

/// What a pass has at hand, made of what was given: nothing in it reaches a network.
async fn context(of_kind: &BTreeMap<String, Vec<Value>>, record: &Record, config: Config) -> anyhow::Result<Context> {
    let (clock, redactor, metrics) = (Clock::system(), Redactor::default(), Metrics::new());
    let fence = Fence::shut(clock.clone());
    let (http_client, credentials) = record.client();
    let cluster = record.tag(TAG_CLUSTER);
    let cluster = config.cluster_id.clone().or_else(|| cluster.map(str::to_owned)).unwrap_or_else(|| "cluster".into());
    let region = config.aws_region.clone().or_else(|| record.region().map(str::to_owned));
    let aws = Account::new(Settings {
        region,
        endpoint_url: None,
        credentials: Some(credentials),
        http_client: Some(http_client),
        metric_period: config.metric_period,
        limits: config.limits(),
        clock: clock.clone(),
        redactor: redactor.clone(),
        fence: fence.clone(),
        observer: Arc::new(metrics.clone()),
    })
    .await?;
    let client = client(of_kind.get("Secret").cloned().unwrap_or_default());
    let wishes = Arc::<Wishes>::default();
    let wiring = Wiring::new(Arc::clone(&wishes));
    let stores = Stores::filled(&mut Given { of_kind, wiring: &wiring })?;
    let (secrets, _) = filled(of_kind.get("Secret"), |object: PartialObjectMeta<Secret>| object)?;
    wiring.listed(&secrets.state());
    Ok(Context {
        secrets: Secrets::new(client.clone(), secrets, redactor.clone(), clock.clone()),
        fingerprint_key: Arc::default(),
        stores,
        recorder: Recorder::new(client.clone(), None, clock.clone()),
        client,
        aws,
        cluster,
        clock,
        metrics,
        redactor,
        attempts: Attempts::default(),
        lanes: Lanes::new(config.concurrency),
        wishes,
        wiring,
        looks: Looks::default(),
        written: Default::default(),
        feeds: Default::default(),
        fence,
        config,
    })
}

/// An API server that has these Secrets and nothing else, and takes no change.
fn client(secrets: Vec<Value>) -> kube::Client {
    let secrets = Arc::new(secrets);
    let service = tower::service_fn(move |request: Request<Body>| {
        let secrets = Arc::clone(&secrets);
        async move {
            let path = request.uri().path().to_owned();
            let is_it = |secret: &&Value| {
                let of = |member| secret.pointer(member).and_then(Value::as_str).unwrap_or_default();
                path.ends_with(&format!("/namespaces/{}/secrets/{}", of("/metadata/namespace"), of("/metadata/name")))
            };
            let absent = json!({ "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "code": 404,
                "reason": "NotFound", "message": "it is not in what was given" });
            let (status, body) = match secrets.iter().find(is_it) {
                Some(secret) if request.method() == http::Method::GET => (StatusCode::OK, secret),
                _ => (StatusCode::NOT_FOUND, &absent),
            };
            let response = Response::builder().status(status).header(http::header::CONTENT_TYPE, "application/json");
            Ok::<_, tower::BoxError>(response.body(Body::from(body.to_string().into_bytes()))?)
        }
    });
    kube::Client::new(service, "default")
}
