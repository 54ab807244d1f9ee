//! Wrong clocks cause a message, and no panic.

use crate::bed::Package;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::log::Log;
use crate::log::entry;
use crate::log::journal_at;
use crate::shifted::later;

/// `smcp` with a clock that shows a moment in 1969.
fn in_1969(bed: &TestBed, line: &str) -> Ran {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let [library, seconds] = later(-i64::try_from(now.as_secs()).unwrap() - 86_400);
    bed.smcp(line).env(library.0, library.1).env(seconds.0, seconds.1).run()
}

#[test]
#[cfg(target_os = "linux")]
fn before_1970_nothing_is_decided_and_nothing_panics() {
    let bed = TestBed::new();
    bed.publish(&Package::shell("acme/tool@1.0.0", "touch \"$HOME/proof/started\"").good());
    bed.write("facts.json", "{}");
    for audit in ["required", "best-effort"] {
        bed.configure(&format!("audit: {audit}"));
        for (line, code) in [
            ("run acme/tool@1.0.0", 1),
            ("run --dry-run acme/tool@1.0.0", 1),
            ("policy check acme/tool@1.0.0", 1),
            ("policy eval --facts facts.json", 1),
            ("--registry http://127.0.0.1:9 info acme/tool@1.0.0", 1),
            ("--registry registry registry serve --listen 127.0.0.1:0", 1),
            ("audit tail", 0),
            ("audit verify", 0),
            ("policy list", 0),
            ("cache ls", 0),
            ("config validate", 0),
        ] {
            let ran = in_1969(&bed, line).exits(code);
            if code == 1 {
                ran.says(&["the system's clock stands before 1970", "set it"]);
            }
        }
        let ran = in_1969(&bed, "doctor").exits(1);
        assert!(ran.stdout.contains("✗ clock          it stands before 1970"), "{ran}");
        assert!(ran.stdout.contains("✗ audit log      the system's clock stands before 1970"), "{ran}");
    }
    assert!(!bed.has("proof/started") && !bed.has(".mcp/audit.jsonl"));
}

/// A clock that was set back makes no decision earlier than what the machine itself proves.
#[test]
#[cfg(target_os = "linux")]
fn a_clock_that_was_set_back_does_not_date_a_decision_back() {
    let bed = TestBed::new();
    bed.publish(&Package::shell("acme/tool@1.0.0", "").good());
    bed.configure("");
    let decided = |line: &str, seconds: i64| {
        let [library, clock] = later(seconds);
        let ran = bed.smcp(line).env(library.0, library.1).env(clock.0, clock.1).run();
        let record: serde_json::Value =
            serde_json::from_str(bed.read(".mcp/audit.jsonl").lines().last().unwrap()).unwrap();
        (ran, record["request"]["context"]["evaluated_at"].as_u64().unwrap())
    };
    let (year, hour) = (365 * 86_400, 3_600);
    // Nothing was recorded yet: the program itself was built before.
    let (ran, built) = decided("policy check acme/tool@1.0.0", -year);
    ran.succeeds().says(&["which is before this smcp itself; the decision counts as made at 20"]);
    let (ran, now) = decided("policy check acme/tool@1.0.0", hour);
    ran.succeeds().silent();
    assert!(now > built);
    for line in ["policy check acme/tool@1.0.0", "run --dry-run acme/tool@1.0.0"] {
        // The record before stands an hour in the future of this one.
        let (ran, later) = decided(line, hour / 2);
        ran.succeeds().says(&["which is before the last record of the audit log"]);
        assert!(later >= now, "{later} {now}");
        // The record of that decision is no earlier either, so a second one is not dated back by it.
        let (ran, again) = decided(line, 0);
        ran.succeeds().says(&["which is before the last record of the audit log"]);
        assert!(again >= now, "{again} {now}");
        decided("policy check acme/tool@1.0.0", hour).0.succeeds();
    }
}

#[test]
fn a_record_that_could_not_say_its_time_is_not_written() {
    let log = Log::new();
    let early = || std::time::UNIX_EPOCH - std::time::Duration::from_millis(1);
    let late = || std::time::UNIX_EPOCH + std::time::Duration::from_secs(253_402_300_800);
    for clock in [early as smcp_audit::Clock, late] {
        let error = journal_at(log.folder(), clock).unwrap().append(&entry("never")).unwrap_err();
        assert!(matches!(error, smcp_audit::AuditError::Clock), "{error}");
    }
    assert!(log.bytes("audit.jsonl").is_empty());
}

#[test]
fn times_are_in_utc_wherever_the_machine_is() {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "").good());
    for zone in ["Pacific/Kiritimati", "UTC+12"] {
        bed.smcp("policy check acme/tool@1.0.0").env("TZ", zone).run().succeeds();
        let record = bed.read(".mcp/audit.jsonl").lines().last().unwrap().to_owned();
        let record: serde_json::Value = serde_json::from_str(&record).unwrap();
        let time = humantime::parse_rfc3339(record["time"].as_str().unwrap()).unwrap();
        let off = time.elapsed().unwrap_or_else(|error| error.duration());
        assert!(off.as_secs() < 600, "{zone}: {record}");
        let doctor = bed.smcp("doctor").env("TZ", zone).run().succeeds();
        assert!(doctor.stdout.contains("Z (UTC)\n"), "{doctor}");
    }
}
