//! Each row of the table of kernels, on a kernel of a distribution that is in it.

use crate::machine::Ended;
use crate::machine::Steps;
use crate::machine::User;
use crate::packages::Release;
use crate::packages::debian;
use crate::packages::ubuntu;
use crate::said::Expected;
use crate::said::Found;
use crate::said::Said;
use crate::said::observe;
use crate::said::reach;
use crate::tries::FILES;
use crate::tries::KERNEL;
use crate::tries::MORE;
use crate::tries::NAMESPACES;
use crate::tries::NETWORK;
use crate::tries::OF_FILTER;
use crate::tries::OPEN;
use crate::tries::PROCESSES;
use crate::tries::SIGNALS;
use crate::tries::TAKEN_OVER;
use crate::world::ALONE;
use crate::world::ANY;
use crate::world::CALLS;
use crate::world::NATIVE_TRIES;
use smcp_model::confinement::Gap;

/// A row of the table: what a kernel from this version on can hold a server to.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    linux: (u32, u32),
    landlock: i64,
    /// For no host, a list of hosts, any host.
    pub(crate) cells: [Expected; 3],
}

fn version(text: &str) -> (u32, u32) {
    let mut numbers = text.split('.').map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// Reads the table for people.
fn rows() -> Vec<Row> {
    let page = include_str!("../../docs/confinement.md");
    let rows = page.lines().skip_while(|line| !line.starts_with("| Linux |")).skip(2);
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [linux, landlock, none, list, any] = cells[..] else { panic!("{line}") };
        Row { linux: version(linux), landlock: landlock.parse().unwrap(), cells: [none, list, any].map(Expected::read) }
    };
    rows.take_while(|line| line.starts_with('|')).map(row).collect()
}

/// The row of a kernel, by its version as `uname -r` says it.
pub(crate) fn row_of(kernel: &str) -> Row {
    let version = version(kernel);
    let rows = rows();
    let found = rows.iter().rfind(|row| row.linux <= version);
    found.or(rows.first()).unwrap().clone()
}

/// What a server tries, in an order in which no try is in the way of another.
fn all_tries() -> Vec<&'static str> {
    [&OPEN[..], &NETWORK, &KERNEL, &NAMESPACES, &PROCESSES, &FILES, &MORE, &TAKEN_OVER].concat()
}

/// What comes of a server's tries where it asks for nothing: what it may, and what lies behind a lock that is missing.
pub(crate) fn done(missing: &[Gap], user: User) -> Vec<&'static str> {
    let mut done = OPEN.to_vec();
    if missing.contains(&Gap::Landlock) {
        // A filter takes no account of paths and of other processes, but for their limits, places and priorities.
        done.extend(FILES.iter().filter(|name| !OF_FILTER.contains(name)));
        done.extend(["remove it", "change the rules"]);
        // An ordinary user's bundle is not his to write to, and root's servers have less capabilities than smcp.
        match user {
            User::Ordinary => done.push("open smcp's memory"),
            User::Root => {
                done.retain(|name| !["read smcp's variables", "see smcp's files"].contains(name));
                done.push("write beside the program");
            }
        }
    }
    done.extend(missing.contains(&Gap::Truncation).then_some("empty it"));
    if missing.contains(&Gap::Signals) {
        done.extend(SIGNALS);
    }
    done
}

/// The same for calls that no library makes.
fn done_by_calls(missing: &[Gap], user: User) -> Vec<&'static str> {
    let mut done = Vec::new();
    if missing.contains(&Gap::Landlock) {
        done.extend([
            "read the key by a path alone",
            "read the key from the root",
            "exchange the key",
            "map the key",
            "read the key by a link that changes",
            "read the key by a ruleset of its own",
        ]);
        // Nothing else keeps root from it.
        done.extend((user == User::Root).then_some("read the key by another root"));
    }
    if missing.iter().any(|gap| [Gap::Landlock, Gap::Signals].contains(gap)) {
        done.extend(["signal the group of smcp", "queue a signal for smcp"]);
    }
    done
}

/// What comes of the tries at sockets where any host may be reached.
fn done_by_any(missing: &[Gap]) -> Vec<&'static str> {
    let mut done: Vec<_> = NETWORK.into_iter().filter(|name| !name.starts_with("use ")).collect();
    done.extend(missing.contains(&Gap::Sockets).then_some("use a socket of the session"));
    let by_name = missing.iter().any(|gap| [Gap::Landlock, Gap::Signals].contains(gap));
    done.extend(by_name.then_some("use an abstract socket"));
    done
}

/// What the diagnosis says of the process that compiles policies.
const COMPILED: &str = "policies are compiled in a process that can open and start nothing";
const COMPILED_LOOSELY: &str =
    "policies are compiled in a process that is not confined in full: files and network (Landlock)";

/// The steps of one user.
struct Asked {
    user: User,
    said: Said,
    alone: usize,
    any: usize,
    calls: usize,
    hosts: usize,
    observed: usize,
}

impl Asked {
    fn of(user: User, steps: &mut Steps) -> Self {
        let said = Said::ask(user, steps);
        let (tries, network) = (all_tries().join(","), NETWORK.join(","));
        let alone = ["run", ALONE, "--env", "PROBE_ABSTRACT", "--", &tries];
        let any = ["run", ANY, "--env", "PROBE_ABSTRACT", "--", &network];
        Self {
            user,
            said,
            alone: steps.smcp(user, &alone),
            any: steps.smcp(user, &any),
            calls: steps.smcp(user, &["run", CALLS]),
            hosts: steps.smcp(user, &reach()),
            observed: steps.smcp(user, &observe()),
        }
    }

    fn hold(&self, row: &Row, ended: &Ended, found: &mut Found) {
        self.said.hold(&row.cells, ended, found);
        let [none, _, any] = &row.cells;
        let files = none.missing.contains(&Gap::Landlock);
        // The diagnosis has one compiled, and the process that does it tries to get out.
        found.says(ended, self.said.doctor, &[if none.missing.is_empty() { COMPILED } else { COMPILED_LOOSELY }]);
        // What is to be done about it, once.
        found.says(ended, self.said.doctor, none.missing.last().map(|gap| gap.remedy()).as_slice());
        found.tries(ended, (self.alone, all_tries().len()), &done(&none.missing, self.user), files);
        found.tries(ended, (self.any, NETWORK.len()), &done_by_any(&any.missing), files);
        found.tries(ended, (self.calls, NATIVE_TRIES), &done_by_calls(&none.missing, self.user), files);
        found.reaches(ended, self.hosts);
        found.drafts(ended, self.observed);
    }
}

/// Boots the kernel of a release, and compares.
fn holds(release: Release) {
    let mut steps = Steps::default();
    let landlock = steps.landlock();
    let users = User::ALL.map(|user| Asked::of(user, &mut steps));
    let Some(ended) = crate::world::boot(release, ("max", ""), |_| (), steps) else { return };
    let row = row_of(&ended.kernel);
    let mut found = Found::default();
    let known = ended.of(landlock).code.max(0);
    // Versions in which nothing changed for us have no row.
    let of_landlock = rows().into_iter().rfind(|row| row.landlock <= known).unwrap();
    if of_landlock.linux != row.linux {
        found.differs(format!("Landlock of version {known}, not {}", row.landlock));
    }
    for asked in users {
        asked.hold(&row, &ended, &mut found);
    }
    found.end(&ended);
}

#[test]
fn debian_11() {
    holds(debian("bullseye"));
}

#[test]
fn debian_12() {
    holds(debian("bookworm"));
}

#[test]
fn debian_13() {
    holds(debian("trixie"));
}

#[test]
fn debian_13_with_its_newest_kernel() {
    holds(debian("trixie-backports"));
}

#[test]
fn debian_sid() {
    holds(debian("sid"));
}

/// Before the first row: what is there is as in it.
#[test]
fn ubuntu_20_04() {
    holds(ubuntu("focal"));
}

#[test]
fn ubuntu_22_04() {
    holds(ubuntu("jammy"));
}

#[test]
fn ubuntu_22_04_with_a_later_kernel() {
    holds(ubuntu("jammy").with_kernel("6.2"));
}

#[test]
fn ubuntu_24_04_with_a_later_kernel() {
    holds(ubuntu("noble").with_kernel("6.11"));
}

#[test]
fn ubuntu_24_04() {
    holds(ubuntu("noble"));
}

#[test]
fn ubuntu_26_04() {
    holds(ubuntu("resolute"));
}
