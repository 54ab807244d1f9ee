//! What smcp says of a machine, and what differs from what was expected.

use serde_json::Value;

use crate::machine::Ended;
use crate::machine::Steps;
use crate::machine::User;
use crate::world::ALONE;
use crate::world::ANY;
use crate::world::HOSTS;
use crate::world::UNKNOWN;
use smcp_model::confinement::Confinement;
use smcp_model::confinement::Gap;

/// The servers that are asked about, with what the diagnosis calls what they ask for, and arguments with which they end.
const ASKING: [(&str, &str, &str); 3] =
    [(ALONE, "no network", "start a thread"), (HOSTS, "hosts", "interfaces"), (ANY, "any host", "start a thread")];

/// What comes of these where files are open depends on more than locks: on the kernel's devices, on Yama, and on whether it
/// has such a call (Linux 5.6).
const ELSEWHERE: [&str; 3] = ["read a disk", "open smcp's memory", "read it by openat2"];

/// The ways of a server that is held to `localhost:8080`, and what comes of each.
const WAYS: [(&str, &str); 4] = [
    ("get http://localhost:8080/", "get http://localhost:8080/ -> reached"),
    ("get http://localhost:8081/", "get http://localhost:8081/ -> URLError: "),
    ("tcp 127.0.0.1 8081", "tcp 127.0.0.1 8081 -> ConnectionRefusedError: "),
    ("ask evil.example", "ask evil.example -> 3 nothing"),
];

/// The arguments by which it takes them.
pub(crate) fn reach() -> Vec<&'static str> {
    [&["run", "-v", HOSTS, "--"], &WAYS.map(|(way, _)| way)[..]].concat()
}

/// The arguments by which a server is observed, and the block that comes of what it does.
pub(crate) fn observe() -> Vec<&'static str> {
    let uses = "page,overwrite,make,key,program,address";
    vec!["run", "--confinement", "observe", UNKNOWN, "--env", "PORT", "--", uses]
}
const DRAFT: &str = r#"{
    "network": {"outbound": ["localhost:8080"]},
    "filesystem": {"read": ["~/.ssh/key", "~/docs/page"], "write": ["~/out"]},
    "env_vars": [],
    "subprocess": true
}"#;

/// How far a server is confined.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    word: String,
    pub(crate) missing: Vec<Gap>,
}

impl Expected {
    pub(crate) fn partial(missing: Vec<Gap>) -> Self {
        Self { word: "partial".to_owned(), missing }
    }

    /// Reads a cell of the table: `full`, `partial (landlock, sockets)`.
    pub(crate) fn read(cell: &str) -> Self {
        let (word, words) = cell.split_once(' ').unwrap_or((cell, ""));
        let words = words.trim_matches(['(', ')']).split(", ").filter(|word| !word.is_empty());
        let gap =
            |word: &str| Gap::ALL.into_iter().find(|gap| gap.as_str() == word).unwrap_or_else(|| panic!("{cell}"));
        Self { word: word.to_owned(), missing: words.map(gap).collect() }
    }
}

/// What differs, and where.
#[derive(Debug, Default)]
pub(crate) struct Found(Vec<String>);

impl Found {
    pub(crate) fn differs(&mut self, what: String) {
        self.0.push(what);
    }

    /// Compares what came of a server's tries with the names of those that should have come to something. `files` says whether
    /// those are open. A server that became another one says less than it was asked to.
    pub(crate) fn tries(&mut self, ended: &Ended, (step, count): (usize, usize), done: &[&str], files: bool) {
        let outcome = ended.of(step);
        let mut tried = 0;
        for (name, came) in outcome.stdout.lines().filter_map(|line| line.split_once(": ")) {
            if came == "done" || came == "refused" {
                tried += 1;
                if (came == "done") != done.contains(&name) && !(files && ELSEWHERE.contains(&name)) {
                    self.differs(format!("{}: `{name}` was {came}", ended.name(step)));
                }
            }
        }
        if outcome.code != 0 || tried != count {
            self.differs(format!("{}: {outcome:#?}", ended.name(step)));
        }
    }

    /// Holds that a step printed or said something.
    pub(crate) fn says(&mut self, ended: &Ended, step: usize, words: &[&str]) {
        let outcome = ended.of(step);
        for word in words {
            if !outcome.stdout.contains(word) && !outcome.stderr.contains(word) {
                self.differs(format!("{}: no `{word}` in {outcome:#?}", ended.name(step)));
            }
        }
    }

    /// Holds that the listed host was reached, and no other.
    pub(crate) fn reaches(&mut self, ended: &Ended, step: usize) {
        self.says(ended, step, &WAYS.map(|(_, came)| came));
        self.says(ended, step, &["the server was refused evil.example"]);
    }

    /// Compares the block that a server's use was made into.
    pub(crate) fn drafts(&mut self, ended: &Ended, step: usize) {
        let text = &ended.of(step).stderr;
        let drafted = text.find("{\n").zip(text.find("\n}\n")).and_then(|(from, to)| text.get(from..to + 2));
        let drafted = drafted.map(|block| serde_json::from_str::<Value>(block).unwrap());
        if drafted != Some(serde_json::from_str(DRAFT).unwrap()) {
            self.differs(format!("{}: {:#?}", ended.name(step), ended.of(step)));
        }
    }

    /// Fails with all that differs.
    #[track_caller]
    pub(crate) fn end(self, ended: &Ended) {
        assert!(self.0.is_empty(), "{}:\n{}", ended.kernel, self.0.join("\n"));
    }
}

/// The steps in which smcp is asked.
pub(crate) struct Said {
    pub(crate) doctor: usize,
    foreseen: [usize; 3],
    pub(crate) required: [usize; 3],
}

impl Said {
    pub(crate) fn ask(user: User, steps: &mut Steps) -> Self {
        let doctor = steps.smcp(user, &["doctor"]);
        let foreseen = ASKING.map(|(server, _, _)| steps.smcp(user, &["run", "--dry-run", "--json", server]));
        let required =
            ASKING.map(|(server, _, last)| steps.smcp(user, &["run", "--confinement", "required", server, "--", last]));
        Self { doctor, foreseen, required }
    }

    /// Holds the answers against what is expected of a server without hosts, with a list of them, and with any.
    pub(crate) fn hold(&self, expected: &[Expected; 3], ended: &Ended, found: &mut Found) {
        for (place, (_, asks, last)) in ASKING.into_iter().enumerate() {
            let Expected { word, missing } = &expected[place];
            let document = ended.document(self.foreseen[place]);
            let words: Vec<_> = missing.iter().map(|gap| gap.as_str()).collect();
            let confinement = &document["confinement"];
            if confinement["state"] != word.as_str() || confinement["missing"] != Value::from(words) {
                found.differs(format!("{}: {confinement}, not {word} {missing:?}", ended.name(self.foreseen[place])));
            }
            let phrase = Confinement::with(missing.clone()).to_string();
            found.says(ended, self.doctor, &[&format!("a server that asks for {asks}: {phrase}")]);
            let outcome = ended.of(self.required[place]);
            let starts = missing.is_empty();
            if outcome.code != if starts { 0 } else { 4 } || starts == outcome.stdout.is_empty() {
                found.differs(format!("{}: {outcome:#?} for {last}", ended.name(self.required[place])));
            }
            if !starts {
                found.says(ended, self.required[place], &["servers must be confined in full"]);
            }
        }
    }
}
