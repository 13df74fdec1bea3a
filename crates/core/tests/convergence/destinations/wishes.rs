//! What can be requested of a Destination, on both paths.

use super::*;

pub fn wish(name: &'static str, document: Value, changes: &[(&str, Value)]) -> Wish {
    let spec = destination_spec_of(document, changes);
    Wish {
        name,
        desired: destination_wanted(&spec, &references()),
        object: destination_object(spec),
        retain: false,
        told: None,
        refuses: &[],
        on: true,
        signal: true,
        full: false,
        gives_way: false,
        dies: &[],
        migration_ahead: None,
        fed: &[Role::Primary],
        ready: &[],
        channel: Rest::Nothing,
        either: false,
        lazy: false,
        copies: 0,
        encrypted: false,
        ends: Ends::Settled,
        or: &[],
    }
}

pub fn restart() -> (&'static str, Value) {
    ("/updatePolicy", json!("Restart"))
}

pub fn backup(mode: &str) -> (&'static str, Value) {
    ("/backup", backup_json(mode))
}

pub const STOPPED: (&str, Value) = ("/state", Value::Null);

pub fn nowhere() -> (&'static str, Value) {
    ("/streamKey/secretRef/name", json!("nowhere"))
}

/// The backup's key.
pub fn lost() -> (&'static str, Value) {
    ("/backup/streamKey/secretRef/name", json!("nowhere"))
}

pub fn gone(name: &'static str) -> Wish {
    let mut wish = Wish { desired: Desired::Absent, fed: &[], ends: Ends::Gone, ..wish(name, destination_json(), &[]) };
    deleted(&mut wish.object.metadata);
    wish
}

/// Wishes of one spec have one generation, so that what is remembered under one of them holds under the other.
pub fn with_generations(mut wishes: Vec<Wish>) -> Vec<Wish> {
    for i in 0..wishes.len() {
        let first = wishes.iter().position(|w| w.object.spec == wishes[i].object.spec).unwrap_or(i);
        wishes[i].object.metadata.generation = i64::try_from(first).ok();
    }
    wishes
}

/// Restarts that are over soon.
pub fn brief() -> (&'static str, Value) {
    ("/retry", json!({"attempts": 2, "after": "20s", "backoff": "20s"}))
}

pub fn passthrough() -> Vec<Wish> {
    use Role::{Backup, Primary};
    let plain = |name, changes: &[(&str, Value)]| {
        let changes: Vec<_> = changes.iter().cloned().chain([brief()]).collect();
        wish(name, destination_json(), &changes)
    };
    let srt = |name, changes: &[(&str, Value)]| wish(name, srt_json(), changes);
    let off = |wish: Wish| Wish { fed: &[], ready: &[], lazy: true, ..wish };
    vec![
        plain("on the air, changes at once", &[restart()]),
        plain("on the air, changes wait", &[]),
        Wish { lazy: true, ends: Ends::FlowOff, on: false, ..plain("wanted while the flow is off", &[]) },
        off(plain("stopped", &[STOPPED])),
        Wish { fed: &[], gives_way: true, ..plain("stopped, and its place is needed", &[STOPPED]) },
        Wish { fed: &[], ready: &[Primary], ..plain("prepared", &[STOPPED, ("/prepare", json!(true))]) },
        plain("another URL at once", &[("/url", json!("rtmps://other.example.com:443/app")), restart()]),
        plain("RTMP without TLS at once", &[("/url", json!("rtmp://other.example.com:1935/app")), restart()]),
        Wish { copies: 1, encrypted: true, ..srt("SRT with a password at once", &[restart()]) },
        srt("SRT without a password at once", &[("/encryption", Value::Null), restart()]),
        Wish { fed: &[Primary, Backup], ..plain("a hot backup", &[backup("Hot"), restart()]) },
        Wish { ready: &[Backup], either: true, ..plain("a backup for failures", &[backup("OnFailure"), restart()]) },
        Wish {
            fed: &[Backup],
            ready: &[Primary],
            refuses: &[Primary],
            ..plain("the primary is refused", &[backup("OnFailure"), restart()])
        },
        Wish {
            fed: &[Backup],
            ready: &[Primary],
            told: Some(Backup),
            ..plain("told to use the backup", &[backup("OnFailure"), restart()])
        },
        Wish {
            fed: &[],
            ready: &[Primary],
            refuses: &[Primary],
            ends: Ends::Told(Reason::GaveUp),
            ..plain("refused", &[restart()])
        },
        Wish {
            lazy: true,
            ends: Ends::Told(Reason::SecretMissing),
            ..plain("its key is missing", &[nowhere(), restart()])
        },
        // What AWS has is fed; what it has not is not made without its key.
        Wish {
            lazy: true,
            refuses: &[Primary],
            ends: Ends::Told(Reason::SecretMissing),
            or: &[Reason::GaveUp],
            ..plain(
                "the backup's key cannot be read while the primary is down",
                &[backup("OnFailure"), lost(), restart()],
            )
        },
        Wish {
            lazy: true,
            refuses: &[Backup],
            ends: Ends::Told(Reason::SecretMissing),
            or: &[Reason::GaveUp],
            ..plain(
                "the primary's key cannot be read while the backup is down",
                &[backup("OnFailure"), nowhere(), restart()],
            )
        },
        Wish {
            fed: &[],
            ready: &[Primary, Backup],
            refuses: &[Primary, Backup],
            ends: Ends::Told(Reason::GaveUp),
            ..plain("both are refused", &[backup("OnFailure"), restart()])
        },
        off(plain("its key is missing, stopped", &[nowhere(), STOPPED])),
        Wish {
            ends: Ends::Told(Reason::InvalidSpec),
            ..off(plain("not to be understood, stopped", &[("/url", json!("rtmp://10.0.0.1/live")), STOPPED]))
        },
        plain("suspended", &[("/suspend", json!(true))]),
        gone("deleted"),
        Wish { retain: true, ..gone("deleted, retained") },
    ]
}

pub fn transcode() -> Vec<Wish> {
    use Role::{Backup, Primary};
    let live = |name, changes: &[(&str, Value)]| {
        let all = [("/delivery", json!("Transcode")), brief()].into_iter().chain(changes.iter().cloned());
        let wish = wish(name, destination_json(), &all.collect::<Vec<_>>());
        Wish { fed: &[], channel: Rest::Running(&[Primary]), ..wish }
    };
    let off = |wish: Wish| Wish { channel: Rest::Nothing, ..wish };
    let prepare = ("/prepare", json!(true));
    let on_failure = || backup("OnFailure");
    let refused = |wish: Wish| Wish { refuses: &[Primary], ends: Ends::Told(Reason::GaveUp), ..off(wish) };
    let plain = |name, changes: &[(&str, Value)]| {
        let all: Vec<_> = changes.iter().cloned().chain([brief()]).collect();
        wish(name, destination_json(), &all)
    };
    let mut asked = live("on the air, and asked to try again", &[restart()]);
    asked.object.metadata.annotations = Some(BTreeMap::from([(RECONCILE_AT.to_string(), "again".to_string())]));
    let mut no_role = live("MediaLive has no role", &[("/tags", json!({"a": "b"}))]);
    if let Desired::Present(Wanted { channel: Some(channel), .. }) = &mut no_role.desired {
        let problem = playout_core::failure::Problem::new(Reason::RoleMissing, "a role is needed");
        channel.role_arn = Err(problem);
    }
    vec![
        live("transcoded, changes at once", &[restart()]),
        live("transcoded, changes wait", &[]),
        off(live("transcoded, stopped", &[STOPPED])),
        Wish { channel: Rest::Idle, ..live("transcoded, prepared", &[STOPPED, prepare.clone()]) },
        Wish {
            channel: Rest::Idle,
            on: false,
            ends: Ends::FlowOff,
            ..live("prepared and wanted while the flow is off", &[prepare.clone(), restart()])
        },
        live("prepared and on the air", &[prepare.clone(), restart()]),
        Wish {
            channel: Rest::Idle,
            refuses: &[Primary],
            ends: Ends::Told(Reason::GaveUp),
            ..live("prepared and refused", &[prepare, restart()])
        },
        live("another encoding at once", &[("/encoding", json!("720p30")), restart()]),
        live("another URL, changes wait", &[("/url", json!("rtmps://other.example.com:443/app"))]),
        Wish {
            channel: Rest::Running(&[Primary, Backup]),
            ..live("transcoded with a hot backup", &[backup("Hot"), restart()])
        },
        Wish {
            channel: Rest::Running(&[Primary, Backup]),
            refuses: &[Primary],
            ..live("of a hot backup one is refused", &[backup("Hot"), restart()])
        },
        Wish { either: true, ..live("transcoded with a backup for failures", &[on_failure(), restart()]) },
        Wish {
            channel: Rest::Running(&[Backup]),
            refuses: &[Primary],
            ..live("transcoded, the primary is refused", &[on_failure(), restart()])
        },
        Wish {
            channel: Rest::Running(&[Backup]),
            told: Some(Backup),
            ..live("transcoded, told to use the backup", &[on_failure(), restart()])
        },
        Wish { told: Some(Primary), ..live("transcoded, told to use the primary", &[on_failure(), restart()]) },
        Wish {
            refuses: &[Primary, Backup],
            ends: Ends::Told(Reason::GaveUp),
            ..off(live("transcoded, both are refused", &[on_failure(), restart()]))
        },
        refused(live("transcoded, refused", &[restart()])),
        refused(live("transcoded, refused, changes wait", &[])),
        Wish {
            signal: false,
            refuses: &[Primary],
            ends: Ends::NoSignal,
            ..live("the Source has no signal", &[restart()])
        },
        Wish { dies: &[Primary], ends: Ends::Told(Reason::GaveUp), ..off(live("it stops by itself", &[restart()])) },
        Wish {
            channel: Rest::Running(&[Backup]),
            dies: &[Primary],
            ..live("it stops by itself while it feeds the primary", &[on_failure(), restart()])
        },
        asked,
        Wish {
            channel: Rest::AsBefore,
            ends: Ends::Told(Reason::SecretMissing),
            ..live("transcoded, its key is missing", &[nowhere(), restart()])
        },
        off(live("transcoded, its key is missing, stopped", &[nowhere(), STOPPED])),
        Wish { channel: Rest::AsBefore, ends: Ends::Told(Reason::RoleMissing), ..no_role },
        Wish { on: false, ends: Ends::FlowOff, ..off(live("transcoded while the flow is off", &[restart()])) },
        Wish { full: true, ..live("transcoded while there is no room", &[restart()]) },
        Wish { migration_ahead: Some("other"), ..live("another is moved first", &[restart()]) },
        Wish {
            lazy: true,
            ends: Ends::Told(Reason::InvalidSpec),
            ..off(live(
                "transcoded, not to be understood, stopped",
                &[("/url", json!("rtmp://10.0.0.1/live")), STOPPED],
            ))
        },
        live("transcoded, suspended", &[("/suspend", json!(true))]),
        plain("passed through, changes at once", &[restart()]),
        plain("passed through, changes wait", &[]),
        Wish { fed: &[], lazy: true, ..plain("passed through, stopped", &[STOPPED]) },
        Wish {
            fed: &[],
            ready: &[Primary],
            refuses: &[Primary],
            channel: Rest::AsBefore,
            ends: Ends::Told(Reason::GaveUp),
            ..plain("passed through, refused", &[restart()])
        },
        Wish { copies: 1, encrypted: true, ..wish("passed through with a password", srt_json(), &[restart()]) },
        gone("deleted"),
        Wish { retain: true, ..gone("deleted, retained") },
    ]
}
