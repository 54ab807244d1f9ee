//! The same kernels where a setting, a command line or a processor takes something from them.

use std::fs;

use crate::bed::ROOT;
use crate::bed::TestBed;
use crate::image::Image;
use crate::machine::Ended;
use crate::machine::Steps;
use crate::machine::User;
use crate::packages::debian;
use crate::packages::ubuntu;
use crate::said::Expected;
use crate::said::Found;
use crate::said::Said;
use crate::said::observe;
use crate::said::reach;
use crate::table::done;
use crate::table::row_of;
use crate::tries::FILES;
use crate::tries::MORE;
use crate::tries::NETWORK;
use crate::tries::OPEN;
use crate::world;
use crate::world::ALONE;
use crate::world::HOSTS;
use smcp_model::confinement::Gap;

/// What is expected where nobody may make a namespace.
fn without_namespaces(ended: &Ended) -> [Expected; 3] {
    let mut cells = row_of(&ended.kernel).cells;
    let [none, list, any] = &mut cells;
    let mut missing = none.missing.clone();
    // The filter that refuses sockets is not there, either.
    missing.extend(any.missing.iter().filter(|gap| **gap == Gap::Sockets));
    missing.push(Gap::Hosts);
    *list = Expected::partial(missing);
    cells
}

/// What comes of a server's ways where its list of hosts is no lock.
const OPEN_HOSTS: &[&str] = &["localhost:8080/ -> reached", "localhost:8081/ -> reached"];

/// The steps of a user for whom a list of hosts may be a lock, or not.
struct Hosts {
    said: Said,
    reached: usize,
}

impl Hosts {
    fn of(user: User, steps: &mut Steps) -> Self {
        Self { said: Said::ask(user, steps), reached: steps.smcp(user, &reach()) }
    }

    fn held(&self, ended: &Ended, found: &mut Found) {
        self.said.hold(&row_of(&ended.kernel).cells, ended, found);
        found.reaches(ended, self.reached);
    }

    /// Holds that hosts are open, and that the diagnosis says what to do.
    fn open(&self, ended: &Ended, advice: &str, found: &mut Found) {
        self.said.hold(&without_namespaces(ended), ended, found);
        found.says(ended, self.said.doctor, &[advice]);
        found.says(ended, self.said.required[1], &["hosts are open: no namespaces here", "smcp doctor"]);
        found.says(ended, self.reached, OPEN_HOSTS);
    }
}

/// A kernel without IPv6 has hosts all the same.
#[test]
fn without_ipv6() {
    let mut steps = Steps::default();
    let users = User::ALL.map(|user| (Hosts::of(user, &mut steps), steps.smcp(user, &observe())));
    let Some(ended) = world::boot(debian("trixie"), ("max", "ipv6.disable=1"), |_| (), steps) else { return };
    let mut found = Found::default();
    for (hosts, observed) in users {
        hosts.held(&ended, &mut found);
        found.drafts(&ended, observed);
    }
    found.end(&ended);
}

/// A kernel that has Landlock, where it is not among the modules that are switched on.
#[test]
fn without_landlock() {
    let mut steps = Steps::default();
    let tries = [&OPEN[..], &NETWORK, &FILES, &MORE].concat();
    let (count, tries) = (tries.len(), tries.join(","));
    let line = ["run", ALONE, "--env", "PROBE_ABSTRACT", "--", &tries];
    let users = User::ALL.map(|user| (user, Hosts::of(user, &mut steps), steps.smcp(user, &line)));
    let Some(ended) = world::boot(debian("trixie"), ("max", "lsm=yama"), |_| (), steps) else { return };
    let mut found = Found::default();
    let files = || Expected::partial(vec![Gap::Landlock]);
    let cells = [files(), files(), Expected::partial(vec![Gap::Landlock, Gap::Sockets])];
    for (user, hosts, tries) in users {
        hosts.said.hold(&cells, &ended, &mut found);
        found.reaches(&ended, hosts.reached);
        found.tries(&ended, (tries, count), &done(&[Gap::Landlock], user), true);
    }
    found.end(&ended);
}

/// Settings by which systems keep namespaces from their users.
#[test]
fn without_namespaces_for_users() {
    let mut steps = Steps::default();
    steps.write("/proc/sys/kernel/unprivileged_userns_clone", "0");
    let of_debian = User::ALL.map(|user| Hosts::of(user, &mut steps));
    steps.write("/proc/sys/kernel/unprivileged_userns_clone", "1");
    steps.write("/proc/sys/user/max_user_namespaces", "0");
    let of_all = Hosts::of(User::Ordinary, &mut steps);
    steps.write("/proc/sys/user/max_user_namespaces", "1000");
    steps.write("/proc/sys/user/max_net_namespaces", "0");
    let of_networks = Hosts::of(User::Root, &mut steps);
    steps.write("/proc/sys/user/max_net_namespaces", "1000");
    // A new namespace gets its users by files of `/proc`.
    steps.remount_proc(true, "");
    let read_only = Hosts::of(User::Ordinary, &mut steps);
    let Some(ended) = world::boot(debian("trixie"), ("max", ""), |_| (), steps) else { return };
    let mut found = Found::default();
    let [user, root] = of_debian;
    user.open(&ended, "raise `sysctl kernel.unprivileged_userns_clone`", &mut found);
    root.held(&ended, &mut found);
    of_all.open(&ended, "raise `sysctl user.max_user_namespaces`", &mut found);
    of_networks.open(&ended, "raise `sysctl user.max_net_namespaces`", &mut found);
    read_only.open(&ended, "no setting of the system refuses namespaces", &mut found);
    found.end(&ended);
}

/// Settings that keep processes from each other: smcp looks into one that it observes.
#[test]
fn where_processes_are_kept_from_each_other() {
    let mut steps = Steps::default();
    steps.remount_proc(false, "hidepid=2");
    let hidden = User::ALL.map(|user| (steps.smcp(user, &reach()), steps.smcp(user, &observe())));
    steps.remount_proc(false, "hidepid=0");
    steps.write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
    let four = Hosts::of(User::Ordinary, &mut steps);
    let traced = ["1", "2", "3"].map(|scope| {
        steps.write("/proc/sys/kernel/yama/ptrace_scope", scope);
        User::ALL.map(|user| steps.smcp(user, &observe()))
    });
    let Some(ended) = world::boot(debian("trixie"), ("max", ""), |_| (), steps) else { return };
    let mut found = Found::default();
    for (reached, observed) in hidden {
        found.reaches(&ended, reached);
        found.drafts(&ended, observed);
    }
    four.held(&ended, &mut found);
    // The second scope is for whoever has the capability: smcp has it in the namespace that it has made for a server.
    let [of_1, of_2, of_3] = traced;
    for observed in [of_1, of_2].concat() {
        found.drafts(&ended, observed);
    }
    for observed in of_3 {
        found.says(&ended, observed, &["page done", "program done", "kernel.yama.ptrace_scope"]);
    }
    found.end(&ended);
}

/// The profile that the page prints for Ubuntu.
fn profile() -> &'static str {
    let page = include_str!("../../docs/confinement.md");
    let (_, rest) = page.split_once("```\nabi <").unwrap();
    let length = rest.find("```").unwrap();
    let from = page.len() - rest.len() - "abi <".len();
    &page[from..page.len() - rest.len() + length]
}

/// Where AppArmor keeps namespaces from programs without a profile, and where smcp has the one of the page.
#[test]
fn with_the_profiles_of_ubuntu() {
    let noble = ubuntu("noble");
    let parser = noble.unpacked("apparmor", |_| Ok(["apparmor", "libc6"].map(str::to_owned).to_vec()));
    let parser = match parser {
        Ok(folder) => folder,
        Err(why) => return crate::say(&format!("skipped: AppArmor of Ubuntu, since {why}")),
    };
    let libraries = "/opt/apparmor/usr/lib/x86_64-linux-gnu";
    let loader = format!("{libraries}/ld-linux-x86-64.so.2");
    let loads = |file: &str| {
        [&loader, "--library-path", libraries, "/opt/apparmor/sbin/apparmor_parser", "-r", file].map(str::to_owned)
    };
    let load = |steps: &mut Steps, file: &str| steps.run(User::Root, &loads(file).each_ref().map(String::as_str));
    let mut steps = Steps::default();
    steps.write("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1");
    let bare = steps.smcp(User::Ordinary, &reach());
    let usual = load(&mut steps, "/etc/apparmor.d/unprivileged_userns");
    let restricted = User::ALL.map(|user| Hosts::of(user, &mut steps));
    let observed = steps.smcp(User::Ordinary, &observe());
    let ours = load(&mut steps, "/etc/apparmor.d/smcp");
    let with_profile = User::ALL.map(|user| (Hosts::of(user, &mut steps), steps.smcp(user, &observe())));
    let add = |image: &mut Image| {
        for name in ["usr/lib", "sbin"] {
            image.tree(&parser.join(name), &format!("opt/apparmor/{name}"), 0);
        }
        image.tree(&parser.join("etc/apparmor.d"), "etc/apparmor.d", 0);
        image.file("etc/apparmor.d/smcp", profile().as_bytes(), 0o644);
        image.file("etc/apparmor/parser.conf", b"", 0o644);
    };
    let Some(ended) = world::boot(noble, ("max", ""), add, steps) else { return };
    let mut found = Found::default();
    let advice = "give smcp a profile of AppArmor that has `userns,`";
    found.says(&ended, bare, OPEN_HOSTS);
    let [user, root] = restricted;
    user.open(&ended, advice, &mut found);
    found.drafts(&ended, observed);
    found.says(&ended, observed, &["hosts are known by their addresses here"]);
    root.held(&ended, &mut found);
    for step in [usual, ours] {
        if ended.of(step).code != 0 {
            found.differs(format!("{}: {:#?}", ended.name(step), ended.of(step)));
        }
    }
    for (hosts, observed) in with_profile {
        hosts.held(&ended, &mut found);
        found.drafts(&ended, observed);
    }
    found.end(&ended);
}

/// Policies that another processor has compiled: of a home that two machines share.
#[test]
fn on_an_old_processor() {
    let bed = TestBed::new();
    fs::create_dir(bed.path("policies")).unwrap();
    fs::copy(format!("{ROOT}/examples/policies/dist/no_network.wasm"), bed.path("policies/rules.wasm")).unwrap();
    let policy =
        "{name: no-network, source: policies/rules.wasm, settings: {allow: [\"localhost\", \"localhost:8080\"]}}";
    bed.write("rules.yaml", format!("registry_url: ~/registry\npolicy: {{custom: [{policy}]}}\n"));
    world::publish(&bed);
    let line = ["run", "--dry-run", "-v", "--json", "--config", "rules.yaml", HOSTS];
    let compiled = bed.smcp(&line.join(" ")).run();
    assert!(compiled.stderr.contains("it is compiled now"), "{compiled}");
    let mut steps = Steps::default();
    let [first, second] = [(); 2].map(|()| steps.smcp(User::Ordinary, &line));
    let run = steps.smcp(User::Ordinary, &["run", "--config", "rules.yaml", HOSTS, "--", "interfaces"]);
    let add = |image: &mut Image| {
        image.tree(&bed.path(".mcp/cache"), "home/user/.mcp/cache", 1000);
        image.tree(&bed.path("policies"), "home/user/policies", 1000);
        image.copy(&bed.path("rules.yaml"), "home/user/rules.yaml", 1000);
    };
    // An old one but for its random numbers, which a machine has no others of so early.
    let Some(ended) = world::boot(debian("trixie"), ("qemu64,+rdrand", ""), add, steps) else { return };
    let mut found = Found::default();
    for step in [first, second, run] {
        if ended.of(step).code != i64::from(compiled.code) {
            found.differs(format!("{}: {:#?}", ended.name(step), ended.of(step)));
        }
    }
    let compiles = [first, second].map(|step| ended.of(step).stderr.contains("it is compiled now"));
    if compiles != [true, false] {
        found.differs(format!("compiled: {compiles:?}, of {:#?}", ended.of(second)));
    }
    found.says(&ended, run, &["interfaces -> lo"]);
    found.end(&ended);
}
