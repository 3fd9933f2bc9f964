//! Whoever changes the log is found.

use chrono::TimeDelta;
use daily_ops::ops_log::{
    Anchor, Annex, Flaw, Hash, Head, Kind, Record, Salt, Verified, Verifier, Why, seal,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::world::{
    database::Database,
    records::{entry, note, person},
};

/// A log of that many entries. Its third is erased, and its last but one says so.
fn log(entries: i64) -> (Vec<Record>, Head) {
    let mut head = Head::START;
    let mut records = Vec::new();
    for n in 1..=entries {
        let says_so = n == entries - 1;
        let kind = if says_so { Kind::Erased } else { Kind::Round };
        let erased = if says_so { vec![3] } else { Vec::new() };
        let (record, _) = seal(
            &head,
            entry(n, kind, "anna", &format!("finding {n}")),
            Annex {
                erased,
                ..Annex::default()
            },
            Salt([n as u8; 16]),
        )
        .expect("it seals");
        head = Head {
            seq: record.seq,
            hash: record.hash,
        };
        records.push(record);
    }
    records[2].body = None;
    records[2].salt = None;
    (records, head)
}

fn verify(records: &[Record], head: &Head, anchor: Option<Anchor>) -> Result<Verified, Flaw> {
    let mut verifier = Verifier::new(anchor);
    for record in records {
        verifier.push(record)?;
    }
    verifier.finish(head)
}

fn verdict(records: &[Record], head: &Head) -> (i64, Why) {
    let flaw = verify(records, head, None).expect_err("the flaw is found");
    (flaw.seq, flaw.why)
}

#[test]
fn an_untouched_log_is_intact_and_so_is_an_empty_one() {
    let (records, head) = log(20);
    assert_eq!(
        verify(&records, &head, None),
        Ok(Verified { entries: 20, head })
    );
    assert_eq!(
        verify(&[], &Head::START, None),
        Ok(Verified {
            entries: 0,
            head: Head::START
        })
    );
}

#[test]
fn each_kind_of_tampering_is_named_with_its_first_entry() {
    let (log, head) = log(20);
    let tampered = |change: &dyn Fn(&mut Vec<Record>)| {
        let mut records = log.clone();
        change(&mut records);
        verdict(&records, &head)
    };
    assert_eq!(tampered(&|log| drop(log.remove(4))), (5, Why::Missing));
    assert_eq!(tampered(&|log| log.truncate(15)), (16, Why::Missing));
    assert_eq!(tampered(&|log| log.swap(4, 5)), (5, Why::Missing));
    assert_eq!(
        tampered(&|log| log.insert(5, log[4].clone())),
        (5, Why::Misplaced)
    );
    assert_eq!(
        tampered(&|log| log[4].subject = "other".to_owned()),
        (5, Why::Changed)
    );
    assert_eq!(
        tampered(&|log| log[4].at += TimeDelta::microseconds(1)),
        (5, Why::Changed)
    );
    assert_eq!(
        tampered(&|log| log[4].body = log[5].body.clone()),
        (5, Why::BodyChanged)
    );
    assert_eq!(tampered(&|log| log[4].salt = None), (5, Why::BodyChanged));
    assert_eq!(
        tampered(&|log| (log[4].salt, log[4].body) = (None, None)),
        (5, Why::BodyMissing)
    );
    assert_eq!(
        tampered(&|log| (log[18].salt, log[18].body) = (None, None)),
        (3, Why::BodyMissing)
    );
    assert_eq!(
        tampered(&|log| log[4].prev_hash = Hash::ZERO),
        (5, Why::Unlinked)
    );
}

#[test]
fn a_log_that_was_rewritten_as_a_whole_is_found_by_its_anchor() {
    let (records, head) = log(20);
    let (mut forged, mut end) = (
        records[..10].to_vec(),
        Head {
            seq: 10,
            hash: records[9].hash,
        },
    );
    for n in 11..=20 {
        let (record, _) = seal(
            &end,
            entry(n, Kind::Round, "anna", "all quiet"),
            Annex {
                erased: vec![3],
                ..Annex::default()
            },
            Salt([7; 16]),
        )
        .expect("it seals");
        end = Head {
            seq: record.seq,
            hash: record.hash,
        };
        forged.push(record);
    }
    let anchor = |head: &Head| {
        Some(
            head.to_string()
                .parse::<Anchor>()
                .expect("a head is an anchor"),
        )
    };
    verify(&records, &head, anchor(&head)).expect("the true log fits its anchor");
    let flaw = verify(&forged, &end, anchor(&head)).expect_err("the anchor tells");
    assert_eq!((flaw.seq, flaw.why), (20, Why::NotAnchored));
    let flaw = verify(
        &records[..2],
        &Head {
            seq: 2,
            hash: records[1].hash,
        },
        anchor(&head),
    )
    .expect_err("it is cut");
    assert_eq!((flaw.seq, flaw.why), (3, Why::Missing));
}

#[test]
fn an_anchor_is_read_as_it_is_shown() {
    for text in ["1234:9f3a12", "log #1234 · 9f3a12", "#1234:9F3A12"] {
        let anchor: Anchor = text.parse().expect("it is an anchor");
        assert_eq!(
            (anchor.seq, anchor.digits.as_str()),
            (1234, "9f3a12"),
            "{text}"
        );
    }
    for text in [
        "",
        "1234",
        "1234:9f3a",
        "0:9f3a12",
        "-1:9f3a12",
        "1234:9f3a1z",
        "x:9f3a12",
    ] {
        assert!(text.parse::<Anchor>().is_err(), "{text}");
    }
}

/// What a tamperer does.
#[derive(Clone, Debug)]
enum Tampering {
    Drop(prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    Repeat(prop::sample::Index),
    Cut(prop::sample::Index),
    Flip(prop::sample::Index, u8, prop::sample::Index, u8),
    Blank(prop::sample::Index),
    Copy(prop::sample::Index, prop::sample::Index),
}

fn tampering() -> impl Strategy<Value = Tampering> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        1 => index().prop_map(Tampering::Drop),
        1 => (index(), index()).prop_map(|(a, b)| Tampering::Swap(a, b)),
        1 => index().prop_map(Tampering::Repeat),
        1 => index().prop_map(Tampering::Cut),
        4 => (index(), 0..9_u8, index(), 0..8_u8).prop_map(|(entry, field, byte, bit)| Tampering::Flip(entry, field, byte, bit)),
        1 => index().prop_map(Tampering::Blank),
        1 => (index(), index()).prop_map(|(a, b)| Tampering::Copy(a, b)),
    ]
}

fn tamper(records: &mut Vec<Record>, tampering: &Tampering) {
    let n = records.len();
    match tampering {
        Tampering::Drop(at) => drop(records.remove(at.index(n))),
        Tampering::Swap(a, b) => records.swap(a.index(n), b.index(n)),
        Tampering::Repeat(at) => records.insert(at.index(n), records[at.index(n)].clone()),
        Tampering::Cut(at) => records.truncate(at.index(n)),
        Tampering::Flip(at, field, byte, bit) => {
            flip(&mut records[at.index(n)], *field, byte, *bit)
        }
        Tampering::Blank(at) => {
            let record = &mut records[at.index(n)];
            (record.salt, record.body) = (None, None);
        }
        Tampering::Copy(from, to) => {
            let subject = records[from.index(n)].clone();
            let seq = records[to.index(n)].seq;
            records[to.index(n)] = Record { seq, ..subject };
        }
    }
}

/// Flips one bit of one field.
fn flip(record: &mut Record, field: u8, byte: &prop::sample::Index, bit: u8) {
    let text = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        if bytes.is_empty() {
            return "x".to_owned();
        }
        let at = byte.index(bytes.len());
        bytes[at] ^= 1 << (bit % 7);
        String::from_utf8(bytes).unwrap_or_else(|_| format!("{text}x"))
    };
    let hash = |hash: Hash| {
        let mut bytes = hex::decode(hash.to_string()).expect("a hash is hex");
        bytes[byte.index(32)] ^= 1 << bit;
        hex::encode(bytes).parse::<Hash>().expect("a hash is hex")
    };
    match field {
        0 => record.seq ^= 1 << bit,
        1 => record.at += TimeDelta::microseconds(1 << (bit * 4)),
        2 => record.kind = text(&record.kind),
        3 => record.subject = text(&record.subject),
        4 => record.body = record.body.as_deref().map(text),
        5 => {
            if let Some(salt) = &mut record.salt {
                salt.0[byte.index(16)] ^= 1 << bit
            }
        }
        6 => record.body_hash = hash(record.body_hash),
        7 => record.prev_hash = hash(record.prev_hash),
        _ => record.hash = hash(record.hash),
    }
}

#[test]
fn ten_thousand_random_tamperings_are_all_found() {
    let (log, head) = log(40);
    let mut runner = TestRunner::new(Config {
        cases: 10_000,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(&tampering(), |tampering| {
            let mut records = log.clone();
            tamper(&mut records, &tampering);
            prop_assume!(records != log);
            prop_assert!(verify(&records, &head, None).is_err());
            Ok(())
        })
        .expect("each tampering is found");
}

/// What an intruder does who can drop the guards, and where it is found.
const INTRUSIONS: [(&str, i64); 13] = [
    ("UPDATE ops_log SET subject = 'other' WHERE seq = 5", 5),
    ("UPDATE ops_log SET kind = 'nonsense' WHERE seq = 5", 5),
    (
        "UPDATE ops_log SET at = '2020-01-01T00:00:00+00:00' WHERE seq = 5",
        5,
    ),
    ("UPDATE ops_log SET at = 'yesterday' WHERE seq = 5", 5),
    ("UPDATE ops_log SET hash = 'zz' WHERE seq = 5", 5),
    ("UPDATE ops_log SET seq = 99 WHERE seq = 20", 20),
    (
        "UPDATE ops_log_bodies SET body = replace(body, 'nothing', 'all') WHERE seq = 5",
        5,
    ),
    ("UPDATE ops_log_bodies SET body = x'ff00' WHERE seq = 5", 5),
    ("UPDATE ops_log_bodies SET salt = 'salt' WHERE seq = 5", 5),
    (
        "UPDATE ops_log_bodies SET body = NULL, salt = NULL WHERE seq = 5",
        5,
    ),
    ("DELETE FROM ops_log_bodies WHERE seq = 5", 5),
    ("DELETE FROM ops_log WHERE seq = 5", 5),
    ("DELETE FROM ops_log WHERE seq > 15", 16),
];

#[tokio::test]
async fn an_intruder_in_the_database_is_found() {
    for (intrusion, seq) in INTRUSIONS {
        let database = Database::sqlite().await;
        for n in 1..=20 {
            database
                .store
                .append(note(n))
                .await
                .expect("it is appended");
        }
        database
            .store
            .verify(None)
            .await
            .expect("it is readable")
            .expect("it is intact");
        database.raw("DROP TRIGGER ops_log_refuses_update; DROP TRIGGER ops_log_refuses_delete; DROP TRIGGER ops_log_bodies_refuse_update; DROP TRIGGER ops_log_bodies_refuse_delete").await.expect("the guards fall");
        database
            .raw_without_foreign_keys(intrusion)
            .await
            .expect("the intruder has their way");
        let flaw = database
            .store
            .verify(None)
            .await
            .expect("it is readable")
            .expect_err(intrusion);
        assert_eq!(flaw.seq, seq, "{intrusion}: {flaw}");
        let tail = database
            .store
            .verify_tail(18)
            .await
            .expect("it is readable")
            .expect_err(intrusion);
        assert_eq!(tail.seq, seq, "{intrusion}: {tail}");
    }
}

#[tokio::test]
async fn erased_text_is_in_no_file_of_the_database() {
    let database = Database::sqlite().await;
    database
        .store
        .append(entry(1, Kind::Round, "walter", "Walter's secret plan"))
        .await
        .expect("it is appended");
    let holds = |needle: &str| {
        let folder = database.file().parent().expect("a folder").to_owned();
        std::fs::read_dir(folder)
            .expect("it is readable")
            .any(|file| {
                let bytes = std::fs::read(file.expect("a file").path()).unwrap_or_default();
                bytes
                    .windows(needle.len())
                    .any(|window| window == needle.as_bytes())
            })
    };
    assert!(holds("secret plan"));
    database
        .store
        .erase(
            person("walter"),
            entry(2, Kind::Erased, "anna", "on request"),
        )
        .await
        .expect("it is erased");
    assert!(!holds("secret plan") && !holds("walter"));
}
