//! Compares the promises of a row with what happens.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::process::Stdio;

use serde_json::Value;

use crate::bed::Package;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::scene::Scene;
use crate::scene::TOOL;
use crate::table::Promise;
use crate::terminal::Terminal;

/// The things that the message must have, and a text that shows each.
type Holds = [(&'static str, &'static str)];

/// The trial of one row.
pub(crate) struct Trial<'p> {
    promise: &'p Promise,
    holds: &'p Holds,
    /// The classes that occurred.
    met: RefCell<BTreeSet<String>>,
    /// The things that no message has had yet.
    missing: RefCell<Vec<&'static str>>,
    /// The last message, shown if something is missing.
    last: RefCell<String>,
}

impl<'p> Trial<'p> {
    pub(crate) fn new(promise: &'p Promise, holds: &'p Holds) -> Self {
        let missing = holds.iter().map(|(_, words)| *words).collect();
        Self { promise, holds, met: RefCell::default(), missing: RefCell::new(missing), last: RefCell::default() }
    }

    /// Runs the trial and checks that nothing is missing.
    pub(crate) fn of(self, provoke: fn(&Self)) {
        let what = &self.promise.what;
        let named: Vec<_> = self.holds.iter().map(|(promise, _)| *promise).collect();
        assert_eq!(named, self.promise.holds, "{what}: what the last column says, one by one");
        provoke(&self);
        let (missing, last) = (self.missing.borrow(), self.last.borrow());
        assert!(missing.is_empty(), "{what}: the message does not hold {missing:?}: {last}");
        assert_eq!(*self.met.borrow(), self.promise.classes, "{what}: the codes that were met: {last}");
    }

    /// Records a message for people or machines.
    pub(crate) fn message(&self, text: &str) {
        self.missing.borrow_mut().retain(|words| !text.contains(words));
        text.clone_into(&mut self.last.borrow_mut());
    }

    /// Checks a code for machines, and records it.
    #[track_caller]
    pub(crate) fn class(&self, class: &str) {
        let Promise { what, classes, .. } = self.promise;
        assert!(classes.contains(class), "{what}: the code is `{class}`, and the table says {classes:?}");
        self.met.borrow_mut().insert(class.to_owned());
    }

    /// Checks that the last message does not have these words.
    #[track_caller]
    pub(crate) fn never(&self, words: &str) {
        assert!(!self.last.borrow().contains(words), "{}: `{words}` is in {}", self.promise.what, self.last.borrow());
    }

    /// Checks the exit code of a run.
    #[track_caller]
    pub(crate) fn exit(&self, code: i32, how: &dyn std::fmt::Display) {
        let Promise { what, exit, .. } = self.promise;
        assert_eq!(Some(code), *exit, "{what}: {how}");
    }

    /// Checks a run that ends before policies decide: the result is the same in every mode, for every consent.
    #[track_caller]
    pub(crate) fn refuses(&self, stage: impl Fn(&TestBed) -> Scene) {
        assert_eq!(self.promise.modes, ["–"; 3].map(str::to_owned), "{}", self.promise.what);
        for mode in ["strict", "warn", "disabled"] {
            let bed = TestBed::new();
            bed.configure(&format!("policy: {{cert_mode: {mode}, origin_mode: {mode}, score_mode: {mode}}}\n"));
            let scene = stage(&bed);
            let told = scene.told(&bed);
            self.exit(told.code, &told);
            assert_eq!(told.stdout, "", "{}: {told}", self.promise.what);
            assert!(!bed.has("proof/started"), "{}: nothing was started: {told}", self.promise.what);
            self.message(&told.stderr);
            // Another bed, as new as the first.
            let bed = TestBed::new();
            bed.configure("");
            let document = stage(&bed).document(&bed);
            self.exit(document.code, &document);
            self.class(&code_of(&document.document(), &document));
        }
    }

    /// Checks a custom policy `guest` that does not allow: each mode has its effect. The stage installs it, and returns
    /// more keys for its entry in the configuration.
    #[track_caller]
    pub(crate) fn judges(&self, stage: impl Fn(&TestBed) -> String) {
        let asks = self.promise.modes[1].split(", ").any(|effect| effect == "ask");
        let bed = TestBed::new();
        let keys = stage(&bed);
        if !bed.has("registry/packages/acme/tool/1.0.0.json") {
            bed.publish(&Package::shell(TOOL, "touch \"$HOME/proof/started\"").good());
        }
        let configure = |mode: &str| {
            bed.configure(&format!("policy: {{custom: [{{name: guest, source: ~/guest.wasm, {mode}, {keys}}}]}}\n"));
        };
        configure("mode: strict");
        let told = bed.run(&format!("run --trust {TOOL}"));
        self.exit(told.code, &told);
        assert!(!bed.has("proof/started") && told.stdout.is_empty(), "{}: {told}", self.promise.what);
        self.message(&told.stderr);
        let check = |exit| bed.run(&format!("--json policy check {TOOL}")).exits(exit);
        self.effect(&check(4), "guest", 0);
        configure("mode: warn, on_warn: notify");
        self.effect(&check(0), "guest", 1);
        if asks {
            configure("mode: warn, on_warn: confirm");
            self.effect(&check(4), "guest", 1);
            bed.run(&format!("policy check --trust {TOOL}")).succeeds();
        }
        configure("mode: disabled");
        self.effect(&check(0), "guest", 2);
    }

    /// Checks that the effect of a policy is the one in a column of the row.
    #[track_caller]
    pub(crate) fn effect(&self, ran: &Ran, name: &str, column: usize) {
        let document = ran.document();
        let policies = document["policies"].as_array().unwrap();
        let policy = policies.iter().find(|policy| policy["name"] == name).unwrap();
        let effect = policy["effect"].as_str().unwrap();
        let word = if policy["outcome"] == "skipped" { "skip" } else { effect };
        self.column(column, word);
        if word != "skip" {
            self.class(policy["fault"].as_str().or(policy["outcome"].as_str()).unwrap());
        }
    }

    /// Checks that a column of the row has this word.
    #[track_caller]
    pub(crate) fn column(&self, column: usize, word: &str) {
        let Promise { what, modes, .. } = self.promise;
        assert!(modes[column].split(", ").any(|promised| promised == word), "{what}: `{word}` is not in {modes:?}");
    }

    /// Checks that the document has one of the row's codes.
    #[track_caller]
    pub(crate) fn refused(&self, ran: &Ran) {
        self.exit(ran.code, ran);
        self.class(&code_of(&ran.document(), ran));
    }

    /// Checks that the last record of the audit log has one of the row's codes.
    #[track_caller]
    pub(crate) fn recorded(&self, bed: &TestBed) {
        let log = bed.read(".mcp/audit.jsonl");
        let record: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
        let code = record["code"].as_str().or(record["decision"]["refusal"]["code"].as_str());
        let code = code.or(record["consent"].as_str());
        self.class(code.unwrap_or_else(|| panic!("{}: no code: {record}", self.promise.what)));
    }

    /// Checks a package that was allowed and is not started: the result is the same in every mode.
    #[track_caller]
    pub(crate) fn launches(&self, stage: impl Fn(&TestBed) -> Scene) {
        assert_eq!(self.promise.modes, ["–"; 3].map(str::to_owned), "{}", self.promise.what);
        let bed = TestBed::new();
        bed.configure("");
        let told = stage(&bed).told(&bed);
        self.exit(told.code, &told);
        assert!(!bed.has("proof/started") && told.stdout.is_empty(), "{}: {told}", self.promise.what);
        assert_eq!(bed.list(".mcp/cache/runs"), [""; 0], "{}: {told}", self.promise.what);
        self.message(&told.stderr);
        self.recorded(&bed);
    }

    /// Asks a person at a terminal, who answers this.
    #[track_caller]
    pub(crate) fn answers(&self, answer: &str, stage: impl Fn(&TestBed) -> Scene) {
        let bed = TestBed::new();
        stage(&bed);
        let mut terminal = Terminal::new();
        let mut command = terminal.controls(&bed.smcp(&format!("run {TOOL}")).command);
        command.stdin(terminal.stream()).stderr(terminal.stream()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        // It holds copies of the terminal, which would keep the terminal open.
        drop(command);
        terminal.shows("[y/N] ");
        terminal.types(answer);
        let told = terminal.end();
        self.exit(child.wait().unwrap().code().unwrap(), &told);
        assert!(!bed.has("proof/started"), "{}: {told}", self.promise.what);
        self.message(&told);
        self.recorded(&bed);
    }

    /// For a failure that can't be provoked from outside: a test beside the code does it, and has the message.
    #[track_caller]
    pub(crate) fn elsewhere(&self, file: &str, test: &str, class: &str) {
        let text = std::fs::read_to_string(format!("{}/{file}", crate::bed::ROOT)).unwrap();
        let what = &self.promise.what;
        assert!(text.contains(&format!("fn {test}()")), "{what}: {file} has no test `{test}`");
        self.message(&text);
        format!("{test} of {file}").clone_into(&mut self.last.borrow_mut());
        self.class(class);
    }
}

/// Returns the code of a document: that of a refusal, or else of an error.
#[track_caller]
fn code_of(document: &Value, shown: &dyn std::fmt::Display) -> String {
    let refusal = document["refusal"]["code"].as_str();
    let error = (document["schema"] == "smcp.error/1").then(|| document["code"].as_str()).flatten();
    refusal.or(error).unwrap_or_else(|| panic!("it has no code: {shown}")).to_owned()
}
