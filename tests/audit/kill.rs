//! Many writers, some killed: no complete line is lost, no chain breaks.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::io::BufReader;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use crate::log::Log;
use crate::log::entry;
use crate::log::journal;
use smcp_audit::KnownLog;
use smcp_model::digest::Digest;

const FOLDER: &str = "STAND_IN_FOLDER";
const SEED: &str = "STAND_IN_SEED";
/// The number of writers that are killed; the variable sets another number.
const KILLS: u64 = 300;
const KILLS_VARIABLE: &str = "SMCP_TEST_AUDIT_KILLS";
/// The number of writers at once.
const WRITERS: u64 = 6;
/// Small, so that some writers are killed during a rotation.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;

/// Pseudo-random numbers, the same in each run (splitmix64).
fn random(seed: u64) -> u64 {
    let mut value = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

fn writer(folder: &Path, seed: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "kill::stand_in", "--ignored", "--nocapture"]).env(FOLDER, folder);
    command.env(SEED, seed.to_string()).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap()
}

/// Lets a writer work for a while and kills it. Returns the writes that it confirmed: numbers and digests.
fn killed(folder: &Path, seed: u64) -> Vec<(u64, String)> {
    let mut child = writer(folder, seed);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = Vec::new();
    let mut read = |output: &mut BufReader<_>| -> bool {
        let mut line = String::new();
        if output.read_line(&mut line).unwrap() == 0 {
            return false;
        }
        // The last line of a killed process may be cut.
        if let Some((_, text)) = line.strip_suffix('\n').and_then(|line| line.split_once("ack ")) {
            let (seq, digest) = text.split_once(' ').unwrap();
            acknowledged.push((seq.parse().unwrap(), digest.to_owned()));
        }
        true
    };
    // Kills writers of every age: before their first record, and after some records.
    for _ in 0..random(seed) % 9 {
        read(&mut output);
    }
    // And at any moment between two records.
    let until = Instant::now() + Duration::from_micros(random(seed + 1) % 3_000);
    while Instant::now() < until {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    while read(&mut output) {}
    child.wait().unwrap();
    acknowledged
}

/// Reads every line of a log, by number: its digest, and the length of the unfinished line that it replaced, bytes.
fn lines(log: &Log) -> BTreeMap<u64, String> {
    let mut found = BTreeMap::new();
    for name in log.names().iter().filter(|name| name.ends_with(".jsonl")) {
        for line in log.bytes(name).split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
            let record: serde_json::Value = serde_json::from_slice(line).unwrap();
            found.insert(record["seq"].as_u64().unwrap(), Digest::of(line).to_string());
        }
    }
    found
}

#[test]
fn killed_writers_lose_no_completed_line_and_never_break_the_chain() {
    let kills = std::env::var(KILLS_VARIABLE).map_or(KILLS, |text| text.parse().unwrap());
    let log = Log::new();
    let next = AtomicU64::new(0);
    let work = || {
        let mut acknowledged = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= kills {
                return acknowledged;
            }
            acknowledged.extend(killed(log.folder(), seed));
        }
    };
    let acknowledged: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..WRITERS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let found = log.verification(KnownLog::default());
    assert!(found.is_intact(), "{found:#?}");
    let lines = lines(&log);
    for (seq, digest) in &acknowledged {
        assert_eq!(lines.get(seq), Some(digest), "record {seq} was acknowledged");
    }
    let last = log.journal().append(&entry("after all of them")).unwrap();
    assert!(last.seq > kills / 4, "the writers did write: {}", last.seq);
    let found = log.verification(KnownLog { head: Some(last.digest), ..KnownLog::default() });
    assert!(found.is_intact(), "{found:#?}");
    println!("{kills} killed, {} acknowledged, {} records; {:?}", acknowledged.len(), last.seq, found.notes);
}

#[test]
#[ignore = "a process that other tests start"]
fn stand_in() {
    let variable = |name| std::env::var(name).unwrap();
    let seed: u64 = variable(SEED).parse().unwrap();
    let folder = variable(FOLDER);
    let journal = journal(Path::new(&folder)).unwrap().with_file_limit(FILE_LIMIT);
    for round in 0.. {
        // Mostly records of usual size, sometimes one that takes a while to write.
        let size = match random(seed ^ (round << 32)) % 8 {
            0 => 1_500_000,
            small => usize::try_from(small * 500).unwrap(),
        };
        println!("ready");
        let head = journal.append(&entry(&"x".repeat(size))).unwrap();
        println!("ack {} {}", head.seq, head.digest);
    }
}
