//! Automatic input failover: a pipeline takes the other input of a pair while the first one is not healthy
//! (aif-behavior-startup.html of the MediaLive user guide).

use std::time::Duration;

use serde_json::Value;

use super::super::settings::given;

/// "If the active input is unhealthy for 3 seconds, MediaLive switches to the other input."
const LOSS: Duration = Duration::from_secs(3);
/// "When the unhealthy input is healthy again for more than 30 seconds, it is marked as healthy."
const CLEAR: Duration = Duration::from_secs(30);

/// Two inputs of a channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) struct Pair<'a> {
    /// The first and the second one.
    pub(in super::super) inputs: [&'a str; 2],
    loss: Duration,
    clear: Duration,
    /// Whether the first one is taken again as soon as it is healthy.
    prefers_first: bool,
}

/// The pair of a channel's attachments, if it has one.
pub(in super::super) fn pair(attachments: &[Value]) -> Option<Pair<'_>> {
    attachments.iter().find_map(|attachment| {
        let settings = &attachment["automaticInputFailoverSettings"];
        let milliseconds = |value: &Value, or: Duration| value.as_u64().map_or(or, Duration::from_millis);
        let conditions = settings["failoverConditions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let loss = conditions.iter().find_map(|condition| {
            let settings = &condition["failoverConditionSettings"]["inputLossSettings"];
            (!given(settings).is_empty()).then(|| milliseconds(&settings["inputLossThresholdMsec"], LOSS))
        });
        Some(Pair {
            inputs: [attachment["inputId"].as_str()?, settings["secondaryInputId"].as_str()?],
            loss: loss.unwrap_or(LOSS),
            clear: milliseconds(&settings["errorClearTimeMsec"], CLEAR),
            prefers_first: settings["inputPreference"] == "PRIMARY_INPUT_PREFERRED",
        })
    })
}

/// The health of one input.
#[derive(Clone, Copy, Debug)]
struct Health {
    /// Whether something arrives, and since when it does or does not.
    arrives: bool,
    since: Option<Duration>,
    /// What it counts as.
    healthy: bool,
}

impl Default for Health {
    fn default() -> Self {
        Self { arrives: true, since: None, healthy: true }
    }
}

impl Health {
    fn see(&mut self, arrives: bool, pair: Pair<'_>, at: Duration) {
        if self.since.is_none() || self.arrives != arrives {
            (self.arrives, self.since) = (arrives, Some(at));
        }
        if self.due(pair).is_some_and(|due| due <= at) {
            self.healthy = arrives;
        }
    }

    /// When it counts as something else, if nothing changes until then.
    fn due(&self, pair: Pair<'_>) -> Option<Duration> {
        let after = if self.arrives { pair.clear } else { pair.loss };
        self.since.filter(|_| self.arrives != self.healthy).map(|since| since + after)
    }
}

/// Which input of a pair a pipeline takes.
#[derive(Clone, Debug, Default)]
pub(super) struct Failover {
    health: [Health; 2],
    /// The one that the channel asks for, by its place in the pair.
    asked: Option<usize>,
    taken: usize,
}

impl Failover {
    /// The input that is taken at this time, of a pipeline that is up. `asked` is the one that the channel asks for.
    pub(super) fn take<'a>(
        &mut self,
        pair: Pair<'a>,
        asked: &'a str,
        arrives: impl Fn(&str) -> bool,
        at: Duration,
    ) -> &'a str {
        let Some(wanted) = pair.inputs.iter().position(|input| *input == asked) else {
            *self = Self::default();
            return asked;
        };
        if self.asked != Some(wanted) {
            (self.asked, self.taken) = (Some(wanted), wanted);
        }
        for (health, input) in self.health.iter_mut().zip(pair.inputs) {
            health.see(arrives(input), pair, at);
        }
        let fine = |index: usize| self.health[index].healthy && self.health[index].arrives;
        let other = 1 - self.taken;
        let back = pair.prefers_first && other == 0;
        if fine(other) && (back || !self.health[self.taken].healthy) {
            self.taken = other;
        }
        pair.inputs[self.taken]
    }

    /// When it may take the other one, if nothing changes until then.
    pub(super) fn next(&self, pair: Pair<'_>) -> Option<Duration> {
        self.health.iter().filter_map(|health| health.due(pair)).min()
    }
}
