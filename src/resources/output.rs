//! Outputs of a MediaConnect flow.

use playout_aws::Region;
use playout_core::failure::Failure;
use playout_core::resources::flow::OutputAction;

use super::{Owner, not_ours};

/// Carries out what is to be done to an output.
///
/// # Errors
/// AWS refuses it, gives no answer, or shows other tags than before.
pub async fn execute(action: &OutputAction, owner: &Owner<'_>, region: &Region) -> Result<(), Failure> {
    let mc = &region.mediaconnect;
    let (flow, result) = match action {
        OutputAction::Add { flow, output } => {
            let added = mc.add_output(flow, (**output).clone()).await;
            if let Ok(arn) = &added {
                region.flows.tagged(arn, &output.tags);
            }
            (flow, added.map(drop))
        }
        OutputAction::Tag { arn, tags } => {
            if !owner.owns(&region.flows.tags_now(arn).await?) {
                return Err(not_ours(arn));
            }
            let result = mc.tag(arn, tags).await;
            if result.is_ok() {
                region.flows.tagged(arn, tags);
            }
            return result;
        }
        OutputAction::Stop { flow, arn, .. } => (flow, mc.update_output(flow, arn, None, Some(false)).await),
        OutputAction::Update { flow, arn, settings, enabled, .. } => {
            let result = mc.update_output(flow, arn, settings.as_deref(), *enabled).await;
            if settings.is_some() {
                region.measurements.sent(arn, &result);
            }
            (flow, result)
        }
        OutputAction::Remove { flow, arn, .. } => (flow, mc.remove_output(flow, arn).await),
    };
    region.flows.touched(flow);
    result
}
