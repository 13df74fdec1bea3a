//! What can be requested of a Source.

use super::*;

pub fn source_wish(name: &'static str, changes: &[(&str, Value)]) -> SourceWish {
    let mut document = source_json();
    for (pointer, value) in changes {
        crate::fixtures::set(&mut document, pointer, value.clone());
    }
    let spec: SourceSpec = serde_json::from_value(document).expect("a valid spec");
    SourceWish {
        name,
        desired: crate::fixtures::source_wanted(&spec),
        object: source_object(spec),
        retain: false,
        on_air: false,
        idle: false,
        failed: &[],
        sources: &[("main", 5000), ("reserve", 5001)],
        lead: Some("main"),
        protocol: Protocol::SrtListener,
        active: false,
        copies: 0,
        confirms: false,
    }
}

/// One whose flow was there before.
pub fn external_wish(name: &'static str, policy: &str, changes: &[(&str, Value)]) -> SourceWish {
    let external = json!({"arn": crate::fixtures::FLOW, "policy": policy});
    if policy == "Adopt" {
        let mut all = vec![("/external", external)];
        all.extend_from_slice(changes);
        return source_wish(name, &all);
    }
    let spec: SourceSpec = serde_json::from_value(json!({"external": external})).expect("a valid spec");
    let desired = crate::fixtures::source_wanted(&spec);
    SourceWish { desired, object: source_object(spec), ..source_wish(name, &[]) }
}

pub fn deleting(wish: SourceWish) -> SourceWish {
    let mut wish = SourceWish { desired: Desired::Absent, sources: &[], lead: None, ..wish };
    deleted(&mut wish.object.metadata);
    wish
}

/// From the states that all other wishes lead to, too.
pub fn external_wishes() -> Vec<SourceWish> {
    let other = [("/inputs/0/srtListener/port", json!(6000)), ("/tags", json!({"team": "sports"}))];
    let renamed = [
        ("/inputs", json!([encrypted(input("studio-a", "Primary", 5000))])),
        ("/flowSize", json!("Large")),
        ("/state", json!("Stopped")),
    ];
    let adopting = |name, changes: &[(&str, Value)]| external_wish(name, "Adopt", changes);
    let confirmed = |wish| SourceWish { confirms: true, ..wish };
    let moved = |wish| SourceWish { sources: &[("main", 6000), ("reserve", 5001)], ..wish };
    vec![
        external_wish("referenced", "Reference", &[]),
        SourceWish { on_air: true, ..external_wish("referenced and in use", "Reference", &[]) },
        deleting(external_wish("referenced, deleted", "Reference", &[])),
        adopting("adopted", &[]),
        SourceWish { on_air: true, active: true, ..confirmed(adopting("adopted and in use", &[])) },
        moved(adopting("adopted with changes that nobody confirms", &other)),
        moved(confirmed(adopting("adopted with changes", &other))),
        SourceWish {
            sources: &[("studio-a", 5000)],
            lead: None,
            copies: 1,
            ..confirmed(adopting("adopted with all of it changed", &renamed))
        },
        deleting(adopting("adopted, deleted", &[])),
        SourceWish { retain: true, ..deleting(adopting("adopted, deleted, retained", &[])) },
    ]
}

pub fn source_wishes() -> Vec<SourceWish> {
    let one = |i: Value| ("/inputs", json!([i]));
    let main = || input("main", "Primary", 5000);
    let three = ("/inputs/2", input("slate", "Emergency", 5002));
    let rtp = ("/inputs", json!([rtp_input("main", "Primary", 5000), rtp_input("reserve", "Backup", 5001)]));
    let (running, stopped) = (("/state", json!("Running")), ("/state", json!("Stopped")));
    let lan = |name: &str| json!([{"name": name, "subnetId": "subnet-0a", "securityGroupIds": ["sg-0a"]}]);
    let mut on_lan = main();
    on_lan["vpcInterface"] = json!("lan");
    let mut on_wan = input("main", "Primary", 5000);
    on_wan["vpcInterface"] = json!("wan");
    let ndi = ("/ndi", json!({"discoveryServers": [{"address": "10.0.1.20", "vpcInterface": "lan"}]}));
    let caller = |more: Value| {
        let mut caller = json!({"address": "enc.example.net", "port": 9000});
        caller.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        json!({"name": "main", "priority": "Primary", "protocol": "SrtCaller", "srtCaller": caller})
    };
    let nowhere = json!({"passwordSecretRef": {"name": "nowhere", "key": "x"}});
    let broken = ("/inputs/0/srtListener/encryption", nowhere);
    let gone = |name| deleting(source_wish(name, &[]));
    let single = |name, changes: &[(&str, Value)]| SourceWish {
        sources: &[("main", 5000)],
        lead: None,
        ..source_wish(name, changes)
    };
    let emergency: &[(&str, i32)] = &[("main", 5000), ("slate", 5002)];
    vec![
        source_wish("two inputs, Auto and idle", &[]),
        SourceWish { on_air: true, active: true, ..source_wish("two inputs, Auto and in use", &[]) },
        single("one input, stopped", &[one(main()), stopped.clone()]),
        SourceWish { active: true, ..single("one input, running", &[one(main()), running.clone()]) },
        SourceWish {
            sources: &[("studio-a", 5000)],
            lead: None,
            ..source_wish("one input of another name on the same port", &[one(input("studio-a", "Primary", 5000))])
        },
        SourceWish { copies: 1, ..single("one input, encrypted", &[one(encrypted(main()))]) },
        SourceWish {
            sources: &[("main", 5000), ("reserve", 5001)],
            copies: 2,
            active: true,
            ..source_wish(
                "two inputs, encrypted, running",
                &[
                    ("/inputs", json!([encrypted(main()), encrypted(input("reserve", "Backup", 5001))])),
                    running.clone(),
                ],
            )
        },
        SourceWish {
            sources: &[("main", 5001), ("reserve", 5000)],
            ..source_wish(
                "two inputs with exchanged ports",
                &[("/inputs/0/srtListener/port", json!(5001)), ("/inputs/1/srtListener/port", json!(5000))],
            )
        },
        SourceWish {
            sources: &[("left", 5000), ("right", 5001)],
            lead: Some("left"),
            active: true,
            ..source_wish(
                "both inputs of other names, running",
                &[("/inputs/0/name", json!("left")), ("/inputs/1/name", json!("right")), running.clone()],
            )
        },
        SourceWish {
            lead: Some("reserve"),
            ..source_wish("the second input leads", &[("/activeInput", json!("reserve"))])
        },
        SourceWish {
            protocol: Protocol::Rtp,
            lead: None,
            active: true,
            ..source_wish("two RTP inputs merged", &[rtp, ("/failover", json!({"mode": "Merge"})), running.clone()])
        },
        SourceWish { protocol: Protocol::Rtp, ..single("one RTP input", &[one(rtp_input("main", "Primary", 5000))]) },
        SourceWish {
            protocol: Protocol::SrtCaller,
            sources: &[("main", 0)],
            ..single("one SRT caller with a stream id", &[one(caller(json!({"streamId": "show"})))])
        },
        SourceWish {
            protocol: Protocol::SrtCaller,
            sources: &[("main", 0)],
            ..single("one SRT caller without", &[one(caller(json!({})))])
        },
        SourceWish {
            sources: &[("radio", 5000)],
            lead: None,
            protocol: Protocol::Rtp,
            ..source_wish("one RTP input of another name", &[one(rtp_input("radio", "Primary", 5000))])
        },
        SourceWish {
            on_air: true,
            active: true,
            ..source_wish("three inputs, all well", std::slice::from_ref(&three))
        },
        SourceWish {
            on_air: true,
            active: true,
            failed: &["main", "reserve"],
            sources: emergency,
            ..source_wish("three inputs, both have failed", std::slice::from_ref(&three))
        },
        SourceWish {
            on_air: true,
            active: true,
            sources: emergency,
            lead: Some("slate"),
            ..source_wish("three inputs, the emergency told to lead", &[three, ("/activeInput", json!("slate"))])
        },
        single("one input on an interface", &[one(on_lan.clone()), ("/network/vpcInterfaces", lan("lan"))]),
        single(
            "one input on another interface, small",
            &[one(on_wan), ("/network/vpcInterfaces", lan("wan")), ("/flowSize", json!("Medium"))],
        ),
        single(
            "with NDI discovery",
            &[one(on_lan), ("/network/vpcInterfaces", lan("lan")), ("/flowSize", json!("Large")), ndi],
        ),
        source_wish("suspended", &[("/suspend", json!(true)), running.clone()]),
        source_wish("not to be understood, and stopped", &[broken.clone(), stopped]),
        source_wish("not to be understood, Auto and idle", std::slice::from_ref(&broken)),
        SourceWish {
            on_air: true,
            active: true,
            ..source_wish("not to be understood, Auto and in use", std::slice::from_ref(&broken))
        },
        SourceWish { active: true, ..source_wish("not to be understood, running", &[broken, running]) },
        gone("deleted"),
        SourceWish { retain: true, ..gone("deleted, retained") },
        SourceWish { idle: true, ..gone("deleted while in use") },
        SourceWish { on_air: true, active: true, ..gone("deleted while on the air") },
    ]
}
