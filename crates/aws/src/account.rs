//! The AWS account as the operator sees it: one set of clients, limits and caches a region.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;

use crate::caller::{ATTEMPT, CallObserver, Caller};
use crate::clock::Clock;
use crate::cloudwatch::Measurements;
use crate::fence::Fence;
use crate::mediaconnect::MediaConnect;
use crate::mediaconnect::flows::Flows;
use crate::medialive::MediaLive;
use crate::medialive::channels::Channels;
use crate::redact::Redactor;
use crate::secretsmanager::SecretsManager;
use crate::servicequotas::{Limits, Quotas};
use crate::ssm::Parameters;

/// What all clients share.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Region of objects that name none.
    pub region: Option<String>,
    /// Endpoint of all services.
    pub endpoint_url: Option<String>,
    /// Credentials other than those of the environment.
    pub credentials: Option<SharedCredentialsProvider>,
    /// Another way to send requests than over sockets.
    pub http_client: Option<SharedHttpClient>,
    /// Period of CloudWatch's metrics.
    pub metric_period: Duration,
    /// What the operator was told of quotas.
    pub limits: Limits,
    /// The clock.
    pub clock: Clock,
    /// What is known to be secret.
    pub redactor: Redactor,
    /// Whether we lead.
    pub fence: Fence,
    /// Where calls are counted.
    pub observer: Arc<dyn CallObserver>,
}

/// The account.
#[derive(Debug)]
pub struct Account {
    settings: Settings,
    sdk: SdkConfig,
    default_region: String,
    regions: Mutex<HashMap<String, Arc<Region>>>,
}

/// The account in one region.
#[derive(Debug)]
pub struct Region {
    /// Name of the region.
    pub name: String,
    /// MediaConnect.
    pub mediaconnect: Arc<MediaConnect>,
    /// Reads of flows, shared by all objects.
    pub flows: Flows,
    /// MediaLive.
    pub medialive: Arc<MediaLive>,
    /// Reads of channels and inputs, shared by all objects.
    pub channels: Channels,
    /// Quotas.
    pub quotas: Quotas,
    /// Secrets Manager.
    pub secrets: SecretsManager,
    /// SSM parameters.
    pub parameters: Parameters,
    /// CloudWatch.
    pub measurements: Measurements,
}

impl Account {
    /// Reads the AWS environment.
    ///
    /// # Errors
    /// No region is set anywhere.
    pub async fn new(settings: Settings) -> anyhow::Result<Self> {
        let sdk = sdk_config(&settings).await;
        let default_region = sdk
            .region()
            .map(ToString::to_string)
            .ok_or_else(|| anyhow::anyhow!("no AWS region is set: use --aws-region or AWS_REGION"))?;
        Ok(Self { settings, sdk, default_region, regions: Mutex::default() })
    }

    /// Region of objects that name none.
    #[must_use]
    pub fn default_region(&self) -> &str {
        &self.default_region
    }

    /// The account in a region.
    pub async fn region(&self, name: Option<&str>) -> Arc<Region> {
        let name = name.unwrap_or(&self.default_region);
        let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        regions
            .entry(name.to_string())
            .or_insert_with(|| {
                let sdk = self.sdk.to_builder().region(aws_config::Region::new(name.to_string())).build();
                let caller = Arc::new(Caller::new(
                    self.settings.clock.clone(),
                    self.settings.redactor.clone(),
                    self.settings.fence.clone(),
                    self.settings.observer.clone(),
                ));
                let mediaconnect = Arc::new(MediaConnect::new(&sdk, caller.clone()));
                let medialive = Arc::new(MediaLive::new(&sdk, caller.clone()));
                Arc::new(Region {
                    name: name.to_string(),
                    flows: Flows::new(mediaconnect.clone(), self.settings.clock.clone()),
                    mediaconnect,
                    channels: Channels::new(medialive.clone(), self.settings.clock.clone()),
                    medialive,
                    quotas: Quotas::new(&sdk, caller.clone(), self.settings.clock.clone(), self.settings.limits),
                    secrets: SecretsManager::new(&sdk, caller.clone(), self.settings.clock.clone()),
                    parameters: Parameters::new(&sdk, caller.clone(), self.settings.clock.clone()),
                    measurements: Measurements::new(
                        &sdk,
                        caller,
                        self.settings.clock.clone(),
                        self.settings.metric_period,
                    ),
                })
            })
            .clone()
    }

    /// The account in a region where something was looked at before.
    pub fn known_region(&self, name: Option<&str>) -> Option<Arc<Region>> {
        let regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        regions.get(name.unwrap_or(&self.default_region)).cloned()
    }
}

/// How every client of every service is set up.
///
/// The SDK's own retries are off: it repeats a create whose answer was lost, and so makes two. What is repeated, the loop decides.
pub async fn sdk_config(settings: &Settings) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::disabled())
        .timeout_config(
            TimeoutConfig::builder().operation_timeout(ATTEMPT).connect_timeout(Duration::from_secs(5)).build(),
        )
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    // CloudTrail shows it in the user agent of each request.
    if let Ok(name) = AppName::new("playout") {
        loader = loader.app_name(name);
    }
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(region) = &settings.region {
        loader = loader.region(aws_config::Region::new(region.clone()));
    }
    if let Some(credentials) = &settings.credentials {
        loader = loader.credentials_provider(credentials.clone());
    }
    if let Some(http_client) = &settings.http_client {
        loader = loader.http_client(http_client.clone());
    }
    loader.load().await
}
