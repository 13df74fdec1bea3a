//! Copies of passwords in Secrets Manager: what there is, and what is done to them.

use std::collections::BTreeSet;
use std::time::Duration;

use playout_aws::Region;
use playout_core::failure::{Failure, FailureClass};
use playout_core::identity::Identity;
use playout_core::resources::flow::SecretCopy;
use playout_core::resources::secret_copy::CopyAction;

use crate::lanes::Urgency;

/// How old an answer may be while something is made or goes.
const FRESH: Duration = Duration::from_secs(1);
/// How old it may be else.
const AGE: Duration = Duration::from_secs(60);

/// Where copies of an object may be.
#[derive(Debug)]
pub struct Sought<'a> {
    /// Names of the wish.
    pub wanted: Vec<&'a str>,
    /// Names that the status has recorded.
    pub recorded: &'a [String],
    /// The generation that the status is of.
    pub observed: Option<i64>,
    /// Whether the spec names a password.
    pub names_one: bool,
    /// Whether the object goes.
    pub deleting: bool,
}

impl Sought<'_> {
    /// Whether there may be copies of which the status says nothing: that of a restored object is empty.
    fn may_be_unrecorded(&self) -> bool {
        let untold = self.observed.is_none_or(|generation| generation < 1);
        if self.deleting { self.names_one || untold } else { self.names_one && (untold || self.recorded.is_empty()) }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Copies {
    /// The copies that bear this object's tags.
    pub ours: Vec<SecretCopy>,
    /// Those that are recorded as its own and do not.
    pub lost: Vec<SecretCopy>,
    /// The names that were asked for.
    pub names: Vec<String>,
}

/// The copies of an object. Nothing is asked of Secrets Manager where no password is or was.
pub async fn copies(
    sought: &Sought<'_>,
    identity: &Identity,
    region: &Region,
    urgency: Urgency,
) -> Result<Copies, Failure> {
    let mut names: BTreeSet<String> = sought.recorded.iter().cloned().collect();
    names.extend(sought.wanted.iter().map(ToString::to_string));
    if sought.may_be_unrecorded() {
        match region.secrets.copies(FRESH, urgency).await {
            Ok(all) => names.extend(
                all.iter().filter(|copy| identity.ownership(&copy.tags).is_ours()).map(|copy| copy.name.clone()),
            ),
            // Who uses no passwords need not allow the operator to list secrets.
            Err(failure) if failure.class == FailureClass::Denied && names.is_empty() => {}
            Err(failure) => return Err(failure),
        }
    }
    let age = if sought.deleting { FRESH } else { AGE };
    let found = names.iter().map(|name| region.secrets.describe(name, age, urgency));
    let found = futures::future::try_join_all(found).await?;
    let (ours, mut lost): (Vec<_>, Vec<_>) =
        found.into_iter().flatten().partition(|copy| identity.ownership(&copy.tags).is_ours());
    lost.retain(|copy| sought.recorded.contains(&copy.name));
    Ok(Copies { ours, lost, names: names.into_iter().collect() })
}

/// Carries out what is to be done for a copy.
pub async fn execute(action: &CopyAction, region: &Region) -> Result<(), Failure> {
    match action {
        CopyAction::Create { password, tags } => region.secrets.create(password, tags).await,
        CopyAction::Delete { arn } => region.secrets.delete(arn).await,
    }
}
