//! Tables `plan(wish, facts) == step`, and what is said of what was seen. Each test is a sentence: one valid fixture, one change.

#[path = "../fixtures/mod.rs"]
mod fixtures;

mod annotations;
mod being_told;
mod changed_secrets;
mod clocks;
mod destination_plan;
mod endpoints;
mod evidence;
mod external_plan;
mod flow_in_error;
mod messages;
mod never_twice;
mod nothing_to_protect;
mod only_live_input;
mod ownership;
mod pending_size;
mod small_promises;
mod source_plan;
mod transcode_plan;
mod transcode_status;
