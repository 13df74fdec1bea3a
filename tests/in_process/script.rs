//! Whose life is lived: what its parts are, who plays them, and what must be true then.

use playout_sim::LogEntry;
use serde_json::Value;

use super::failing::{self, Delivery};
use super::life::make_foreign_flow;
use super::operator::World;
use super::{moving, passthrough, transcode};

/// Whose life.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Script {
    /// Three Destinations with outputs of the flow.
    #[default]
    Passthrough,
    /// One with a MediaLive channel.
    Transcode,
    /// One that goes from an output to a channel and back while it is on the air.
    Moving,
    /// One whose receiver refuses, until it is given up; and its way back.
    Failing(Delivery),
}

impl Script {
    /// The parts. In the last one everything is deleted.
    pub fn phases(self) -> &'static [&'static str] {
        match self {
            Self::Passthrough => &passthrough::PHASES,
            Self::Transcode => &transcode::PHASES,
            Self::Moving => &moving::PHASES,
            Self::Failing(_) => &failing::PHASES,
        }
    }

    pub fn deletes(self, phase: usize) -> bool {
        phase + 1 == self.phases().len()
    }

    /// Does one part as a user would.
    pub async fn play(self, world: &World, phase: usize) -> Result<(), String> {
        match self {
            Self::Passthrough => return passthrough::play(world, phase).await,
            Self::Transcode => transcode::play(world, phase),
            Self::Moving => moving::play(world, phase),
            Self::Failing(delivery) => failing::play(world, phase, delivery),
        }
        Ok(())
    }

    /// Whether somebody else makes something in this part.
    pub fn is_strangers(self, phase: usize) -> bool {
        self == Self::Passthrough && phase == passthrough::STRANGER
    }

    pub async fn make_foreign(self, world: &World) {
        make_foreign_flow(world).await;
        if self != Self::Passthrough {
            transcode::make_foreign(world).await;
        }
    }

    /// What belongs to somebody else, as AWS shows it.
    pub fn foreign(self, world: &World, phase: usize) -> Value {
        match self {
            // With our flow goes what is on it.
            Self::Passthrough => passthrough::foreign(world, self.deletes(phase)),
            _ => transcode::foreign(world),
        }
    }

    /// What must be there now, however it came about.
    pub fn verify_now(self, world: &World, phase: usize) -> Result<(), String> {
        match self {
            Self::Passthrough => passthrough::verify_now(world, phase),
            Self::Transcode => transcode::verify_now(world, phase),
            Self::Moving => moving::verify_now(world, phase),
            Self::Failing(delivery) => failing::verify_now(world, phase, delivery),
        }
    }

    /// What was made more often than these parts of the life ask for.
    pub fn made_too_often(self, log: &[LogEntry], lived: &[usize]) -> Option<String> {
        match self {
            Self::Passthrough => passthrough::made_too_often(log),
            Self::Transcode => transcode::made_too_often(log, transcode::wishes(lived)),
            Self::Moving => moving::made_too_often(log, lived),
            Self::Failing(delivery) => failing::made_too_often(log, lived, delivery),
        }
    }

    /// The same where two believe that they lead: what has a name that AWS keeps unique is not two if it was made again
    /// after it was gone.
    pub fn two_made_too_often(self, log: &[LogEntry], lived: &[usize]) -> Option<String> {
        match self {
            Self::Passthrough => self.made_too_often(log, lived).filter(|what| what.starts_with("flow ")),
            // One who is far behind and leads without right removes what a newer wish asked for; it is made again then.
            _ => transcode::two_at_once(log),
        }
    }
}
