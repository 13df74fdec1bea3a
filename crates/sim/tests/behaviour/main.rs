//! What the simulator does, in process and by a clock that is advanced by hand. Each rule is one test.

mod aws;
mod control;
mod documented;
mod faults;
mod flows;
mod health;
mod ivs;
mod medialive;
mod outputs;
mod quotas;
mod secrets;
mod sources;
mod tags;
mod walk;
mod wire;
