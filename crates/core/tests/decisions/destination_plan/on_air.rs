//! It is on the air by evidence alone.

use super::*;

#[test]
fn it_is_on_the_air_only_by_evidence() {
    // AWS documents a measurement of SRT outputs, and none of RTMP outputs.
    let wishes = [
        (dest(&[]), destination_seen(&[]), QUIET_FOR, "rtmps://live.example.com:443"),
        (srt(&[]), srt_seen(), MEASUREMENT_PATIENCE, "srt://live.example.com:9000"),
    ];
    for (wish, mut seen, patience, at) in wishes {
        output(&mut seen, Role::Primary).measured = Some(connected(None));
        output(&mut seen, Role::Primary).unchanged_for = patience - Duration::from_secs(1);
        assert_eq!(waits(decide(&wish, &seen)), Waiting::Connecting(at.into()));
        output(&mut seen, Role::Primary).unchanged_for = patience;
        assert_eq!(decide(&wish, &seen), Step::Settled, "AWS publishes nothing");
        output(&mut seen, Role::Primary).measured = Some(connected(Some(false)));
        output(&mut seen, Role::Primary).unchanged_for = BRIEFLY;
        assert!(matches!(waits(decide(&wish, &seen)), Waiting::Connecting(_)));
        output(&mut seen, Role::Primary).measured = None;
        assert_eq!(decide(&wish, &seen), Step::Settled, "measuring is off");
    }
}

#[test]
fn of_a_hot_backup_one_of_two_is_enough() {
    let mut seen = backed("Hot");
    output(&mut seen, Role::Backup).measured = Some(connected(Some(false)));
    assert_eq!(decide(&dest(&with_backup("Hot")), &seen), Step::Settled);
    output(&mut seen, Role::Backup).unchanged_for = BRIEFLY;
    output(&mut seen, Role::Primary).measured = Some(connected(Some(false)));
    assert!(matches!(waits(decide(&dest(&with_backup("Hot")), &seen)), Waiting::Connecting(_)));
    // One that is not known yet may be the one that takes the stream.
    output(&mut seen, Role::Backup).unchanged_for = Duration::from_secs(60);
    output(&mut seen, Role::Primary).measured = Some(connected(None));
    output(&mut seen, Role::Primary).unchanged_for = Duration::from_secs(1);
    assert!(matches!(waits(decide(&dest(&with_backup("Hot")), &seen)), Waiting::Connecting(_)));
}

#[test]
fn rtp_is_sent_into_the_dark_and_counts_as_running() {
    let rtp = destination_spec_of(
        json!({"from": {"name": "studio"}, "url": "rtp://192.0.2.7:5000", "state": "Running"}),
        &[],
    );
    let mut seen = destination_seen_of(&rtp);
    output(&mut seen, Role::Primary).measured = Some(connected(Some(false)));
    assert_eq!(decide(&destination_wanted(&rtp, &references()), &seen), Step::Settled);
}
