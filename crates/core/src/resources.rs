//! What there is in AWS: its facts and settings, how it is compared, and the actions that change it. Several kinds may have the
//! same: no resource imports a kind.

pub mod channel;
pub mod flow;
pub mod secret_copy;
