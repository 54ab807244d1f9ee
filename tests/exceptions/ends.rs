//! The last day of an exception, by the clock of the machine.

use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use crate::bed::Ran;
use crate::bed::TestBed;
use crate::commands::bed;
use crate::commands::configure;
use crate::shifted::later;
use smcp_model::day::Day;

const DAY: u64 = 86_400;
/// The end of 2027-01-31, in seconds since the Unix epoch.
const MIDNIGHT: u64 = 1_801_440_000;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// `smcp` as if it were `seconds` since the Unix epoch.
fn at(bed: &TestBed, seconds: u64, line: &str) -> Ran {
    let [library, clock] = later(i64::try_from(seconds).unwrap() - i64::try_from(now()).unwrap());
    bed.smcp(line).env(library.0, library.1).env(clock.0, clock.1).run()
}

fn until(day: &str) -> String {
    format!("package: acme/tool, policies: [score], reason: ticket 123, until: {day}")
}

#[test]
#[cfg(target_os = "linux")]
fn it_holds_through_its_last_day_and_not_a_moment_longer() {
    let bed = bed();
    configure(&bed, "min_score: 80", &[&until("2027-01-31")]);
    // UTC, wherever the machine is.
    let midnight = MIDNIGHT;
    let line = "policy check acme/tool@1.0.0";
    // The clock goes on while smcp starts, so a minute is left before midnight.
    for (seconds, code) in [(midnight - DAY, 0), (midnight - 60, 0), (midnight, 4), (midnight + 365 * DAY, 4)] {
        for zone in ["UTC", "Pacific/Kiritimati", "UTC+12"] {
            let [library, clock] = later(i64::try_from(seconds).unwrap() - i64::try_from(now()).unwrap());
            let ran = bed.smcp(line).env(library.0, library.1).env(clock.0, clock.1).env("TZ", zone).run().exits(code);
            assert_eq!(ran.stderr.contains("ended on 2027-01-31"), code == 4, "{ran}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn after_a_record_of_a_later_day_a_clock_that_is_set_back_revives_none() {
    let (before, after) = (MIDNIGHT - DAY, MIDNIGHT + DAY);
    for line in ["run acme/tool@1.0.0", "policy check acme/tool@1.0.0", "run --dry-run acme/tool@1.0.0"] {
        let bed = bed();
        bed.publish(&crate::bed::Package::shell("acme/good@1.0.0", "").good());
        configure(&bed, "min_score: 80", &[&until("2027-01-31")]);
        at(&bed, before, "policy check acme/tool@1.0.0").succeeds();
        // Any record of a later day proves that the last day is over.
        at(&bed, after, "policy check acme/good@1.0.0").succeeds();
        let says = ["the clock says 2027-01-31T00:0", "the exception for `acme/tool` ended on 2027-01-31"];
        at(&bed, before, line).exits(4).says(&says);
    }
}

#[test]
fn yesterday_is_over_and_today_is_not() {
    let bed = bed();
    let day = |seconds: u64| Day::of(seconds).to_string();
    let decided_by = |today: u64| {
        let cases = [(day(today), 0), (day(today + DAY), 0), (day(today - DAY), 4), ("1970-01-01".to_owned(), 4)];
        cases.map(|(until_day, code)| {
            configure(&bed, "min_score: 80", &[&until(&until_day)]);
            let lines = ["run acme/tool@1.0.0", "policy check acme/tool@1.0.0", "run --dry-run acme/tool@1.0.0"];
            (until_day, code, lines.map(|line| bed.run(line)))
        })
    };
    // If midnight has passed meanwhile, today was another day for some of them.
    let decided = loop {
        let today = now();
        let decided = decided_by(today);
        if day(now()) == day(today) {
            break decided;
        }
    };
    for (until_day, code, ran) in decided {
        for ran in ran {
            let ran = ran.exits(code);
            let notice = format!(
                "note: [HOME]/.mcp/config.yaml:5: the exception for `acme/tool` ended on {until_day} and is ignored; take it \
                 out, or have it approved again"
            );
            assert_eq!(ran.stderr.contains(&notice), code == 4, "{ran}");
        }
    }
}

#[test]
fn validation_points_out_what_ended_ends_soon_or_matches_nothing() {
    let bed = bed();
    let keys = "package: acme/tool, policies: [score], reason: x";
    let noon = 1_800_014_400; // 2027-01-15
    configure(
        &bed,
        "min_score: 80",
        &[
            &until("2027-01-14"),
            &until("2027-01-29"),
            &format!("{keys}, until: 2027-12-31, codes: [score-below-minimun]"),
            &format!("{keys}, until: 2027-12-31"),
            &format!("{keys}, until: 2027-12-31, codes: [score-unknown]"),
        ],
    );
    insta::assert_snapshot!("validate", at(&bed, noon, "config validate").succeeds());
    insta::assert_snapshot!("validate_json", at(&bed, noon, "--json config validate").succeeds().document_shown(&bed));
    insta::assert_snapshot!("show", bed.run("config show").succeeds());
    // Nothing to point out, nothing said.
    configure(&bed, "min_score: 80", &[&format!("{keys}, until: 2027-12-31")]);
    at(&bed, noon, "config validate").succeeds().silent();
}
