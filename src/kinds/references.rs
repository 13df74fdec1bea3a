//! Looking up what specs refer to.

use futures::future::join_all;
use kube::ResourceExt as _;
use playout_aws::Region;
use playout_aws::clock::within;
use playout_core::failure::{Failure, FailureClass};
use playout_core::references::{Needed, References};

use crate::kind::Context;
use crate::lanes::Urgency;

/// Looks them up, all at once. `anew`: somebody asked for a fresh look. What is missing is missing in the result; so is what
/// could not be read in time, and then the failure says so: what runs goes on without it.
pub async fn look_up<O: kube::Resource>(
    needed: &Needed<'_>,
    object: &O,
    region: &Region,
    anew: bool,
    urgency: Urgency,
    context: &Context,
) -> (References, Option<Failure>) {
    let namespace = object.namespace().unwrap_or_default();
    let namespace = namespace.as_str();
    let secrets = needed.secrets.iter().map(|secret| async move {
        let value = context.secrets.value(namespace, &secret.name, &secret.key);
        let found = within(urgency.patience(), value).await;
        (secret, found.unwrap_or_else(|| Err(no_answer())))
    });
    let parameters =
        needed.parameters.iter().map(|name| async move { (name, region.parameters.value(name, anew, urgency).await) });
    let (secrets, parameters) = tokio::join!(join_all(secrets), join_all(parameters));
    let mut references =
        References { namespace: namespace.to_string(), region: region.name.clone(), ..References::default() };
    let mut failure = None;
    for (secret, found) in secrets {
        let place = (secret.name.clone(), secret.key.clone());
        match found {
            Ok(Ok(text)) => {
                context.redactor.learn_of(namespace, &text);
                references.secrets.insert(place, context.found(namespace, text));
            }
            Ok(Err(missing)) => drop(references.missing.insert(place, missing)),
            Err(error) => failure = Some(error),
        }
    }
    for (name, found) in parameters {
        match found {
            Ok(Some(text)) => {
                context.redactor.learn_of(namespace, &text);
                references.parameters.insert((*name).to_string(), context.found(namespace, text));
            }
            Ok(None) => {}
            Err(error) => failure = Some(error),
        }
    }
    (references, failure)
}

const GET_SECRET: &str = "kubernetes:GetSecret";

fn no_answer() -> Failure {
    Failure { class: FailureClass::Transient, operation: GET_SECRET.into(), message: "no answer in time".into() }
}

/// Whether the annotation `playout.dev/reconcile-at` has a value that was not acted upon yet.
pub fn wants_fresh_look<O: kube::Resource>(object: &O, handled: Option<&String>) -> bool {
    let asked = object.annotations().get(playout_api::RECONCILE_AT);
    asked.is_some() && asked != handled
}
