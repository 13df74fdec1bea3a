//! The words that stay stable: every reason of a condition or an Event. They are API; docs/reference/reasons.md is generated
//! from this list.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! reasons {
    ($($name:ident: $meaning:literal;)+) => {
        /// A reason of a condition or an Event.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum Reason { $(#[doc = $meaning] $name,)+ }

        impl Reason {
            /// All of them, in the order of that table.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The word itself.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// What it means and what to do, in one sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)+ }
            }
        }
    };
}

reasons! {
    Running: "It is sent as requested, or the flow runs.";
    Stopped: "It is off the air as requested, or was stopped.";
    Created: "Something was made in AWS for this object.";
    Started: "It was started.";
    AlreadyRunning: "It ran already when the operator looked and was left running.";
    Updated: "A change was carried out in AWS.";
    Deleted: "What belonged to this object in AWS was removed.";
    Adopted: "Existing AWS resources were taken up: they have this object's ownership tags, or spec.external names them.";
    AdoptionPlanned: "The flow to be adopted differs from the spec; read status.adoption.plan, then set the annotation playout.dev/reconcile-at to carry it out.";
    Retained: "The object went and its AWS resources stayed, as deletionPolicy Retain or spec.external asks.";
    Switched: "Another input or endpoint leads now.";
    NewAddress: "AWS has given an input another address: let its encoder send to the one in the message (status.inputs). It is said until something arrives there, for a week at most.";
    ConnectionTest: "A connection test runs or has ended; see condition InputReachable.";
    Reachable: "The encoder reached the flow in the connection test.";
    Unreachable: "The encoder did not reach the flow in the connection test; check address, port, allowedCidr and password.";
    Creating: "It is being made.";
    Updating: "A change is being carried out.";
    Deleting: "It is being removed.";
    FlowStarting: "AWS is starting the flow; this takes up to a minute.";
    FlowStopping: "AWS is stopping the flow.";
    FlowUpdating: "AWS is changing the flow; the next change waits for that.";
    FlowDeleting: "AWS is removing the flow; this can take minutes.";
    FlowError: "AWS reports the flow in state ERROR; the message has its words.";
    ExternalNotFound: "spec.external names a flow that does not exist; create a Source with the right ARN.";
    ExternalOwned: "The flow that spec.external names belongs to another Playout object, which the message names if it is of the same namespace; it is not used.";
    ExternalStopped: "The flow that spec.external references does not run and is not Playout's to start: start it in AWS, or set policy: Adopt.";
    SourceNotFound: "spec.from names a Source that does not exist in this namespace; create it or correct the name.";
    SourceNotReady: "The Source has no flow yet; look at the Source.";
    SourceStopped: "The Source does not start its flow, so nothing can be sent: it has spec.state Stopped, is suspended, is being deleted or is stuck, or its flow is not Playout's to start. The message says which.";
    InUse: "Something still uses it; it goes when they are gone.";
    ManagedOutputs: "MediaLive inputs still take this flow. Those of Destinations that are gone go by themselves; delete the others in AWS.";
    ForeignOutputs: "Outputs that Playout did not make, or kept, are on the flow, which is not deleted under them: remove them in AWS, or set deletionPolicy: Retain.";
    Connecting: "The output sends and the receiver has not taken the stream yet.";
    Connected: "The receiver takes the stream.";
    NotConnected: "The receiver does not take the stream: check the key, whether the live event is open, and the URL.";
    NotMeasured: "AWS measures no such thing for this protocol, or has published no measurement.";
    NoSignal: "No programme arrives, or it is not known to: start the encoder, or see the Source.";
    SignalGood: "The leading input receives a good signal.";
    SignalDegraded: "The leading input loses packets, is too slow or below the expected bitrate.";
    OverLimit: "The programme has more than the platform accepts; lower the encoder's bitrate.";
    Alert: "MediaLive warns of something on the channel, or has stopped to; the message has its words.";
    SameReceiver: "Another Destination sends to the same receiver with the same key, and receivers throw one or both out: give each a key of its own, or stop one.";
    PendingChanges: "Changes wait because they would interrupt a running output (stop it, or set updatePolicy to Restart), because AWS takes them of a stopped flow only, or because the only input that receives a signal would go.";
    InvalidSpec: "A field cannot be understood; the message names it.";
    NotUnderstood: "This version of the operator does not understand a field of the spec, which the message names: correct it, or run the version that knows it. Nothing is touched in AWS for the object meanwhile.";
    Valid: "The preset is understood and can be used.";
    PresetNotFound: "spec.encoding names no built-in preset and no EncodingPreset of this namespace; create it or correct the name.";
    PresetNotTaken: "The platform does not take what spec.encoding names; the message has its limit and a preset that it takes.";
    SecretMissing: "A Secret or the entry that is named does not exist, is empty or is no text; the message has the command that mends it, and the operator goes on by itself.";
    ParameterMissing: "An SSM parameter does not exist or is empty; the message has the command that mends it.";
    RoleMissing: "The spec needs a role that the operator was not given; start it with --mediaconnect-role-arn or --medialive-role-arn.";
    RegionMismatch: "The Destination names another region than its Source has; take spec.region out.";
    QuotaExceeded: "A limit of AWS is reached; the message has the numbers.";
    NotOurs: "A resource that this object has recorded, or that has the expected name, lacks its ownership tags and is not touched; the message names it.";
    TakenOver: "An object of the same identity in another cluster is in charge of what this one had in AWS; this one does nothing any more. Delete it: nothing goes in AWS.";
    AccessDenied: "AWS refuses the operator; extend its IAM policy.";
    Refused: "AWS does not accept the request; the message has AWS's words and the fields that they are about, where that is known.";
    Throttled: "AWS limits the rate of calls; the operator goes on more slowly.";
    AwsUnavailable: "AWS gave no usable answer; the operator tries again.";
    ChannelCreating: "AWS is making the MediaLive input or channel; this takes some seconds.";
    ChannelStarting: "AWS is starting the MediaLive channel; this takes about two minutes.";
    ChannelStopping: "AWS is stopping the MediaLive channel; this takes about twenty seconds.";
    ChannelUpdating: "AWS is changing the MediaLive channel.";
    ChannelDeleting: "AWS is removing the MediaLive channel or its input.";
    ChannelRecovering: "A pipeline of the MediaLive channel failed and AWS is restarting it.";
    Restarting: "The receiver did not take the stream; it is started again after a pause, as often as spec.retry allows.";
    Moving: "It waits for another Destination that is being moved between deliveries; they go one at a time.";
    Retrying: "What was found had changed in the meantime; the operator looks again.";
    Unanswered: "AWS has not answered a change and may still carry it out: what it would undo is not said to be so for a minute and a half.";
    SetBack: "AWS, or somebody, sets back what the operator changes: it is changed more and more slowly, then left. The message names the field.";
    Suspended: "spec.suspend is true: the operator looks and changes nothing.";
    InternalError: "A defect of the operator; its log has the details. Other objects are not affected.";
    GaveUp: "The operator stopped trying; set the annotation playout.dev/reconcile-at to try again.";
    StopPending: "A stop is waiting, or was sent and AWS has not shown it yet; the platform may still receive.";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
