//! Every limit, deadline and size, with its unit and reason (spec 8).

pub mod bench;
pub mod cases;
pub mod compiling;
pub mod http;
pub mod oci;
pub mod official;
pub mod observe;
pub mod outbound;
pub mod parts;
pub mod sets;
pub mod signatures;
pub mod statements;
pub mod trees;

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The limits of one policy. The defaults are [`PolicyLimits::DEFAULT`]; a configuration may say anything from
/// [`PolicyLimits::LEAST`] to [`PolicyLimits::CEILING`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyLimits {
    /// Wall-clock time of all calls into the component for one decision, start-up, `describe` and `check-settings`
    /// included.
    pub time: Duration,
    /// Linear memory of all memories together, bytes.
    pub memory: usize,
    /// Linear memories in one store. A guest's module may not have a second one in any case; this is about the modules
    /// of one component together.
    pub memories: usize,
    /// Core instances in one store.
    pub instances: usize,
    /// The component's file, bytes.
    pub component_size: usize,
    /// The most that `evaluate` may hand to the host, bytes of lifted values.
    pub output: usize,
}

impl PolicyLimits {
    /// The limits of a policy whose configuration sets none.
    pub const DEFAULT: Self = Self {
        // Real policies need microseconds; a person doesn't notice half a second.
        time: Duration::from_millis(500),
        // Bulk memory operations can't be interrupted, so memory bounds how far a deadline is overshot: 32 MiB is
        // about 25 to 40 ms.
        memory: 32 * MIB,
        // A JavaScript runtime has three memories; the bytes of all are bounded together.
        memories: 8,
        // Components from the toolchains of other languages have about ten.
        instances: 64,
        // Python has 18 MB, JavaScript 12.
        component_size: 32 * MIB,
        // Far above the 64 KiB that a verdict may have, far below what would be a burden.
        output: MIB,
    };

    /// The most that a configuration can allow, for one policy (spec section 8).
    pub const CEILING: Self = Self {
        time: Duration::from_secs(10),
        memory: 512 * MIB,
        memories: 64,
        instances: 512,
        component_size: 64 * MIB,
        output: 8 * MIB,
    };

    /// The least: one tick of the clock, one page of memory, one of everything else. Below it nothing could answer.
    pub const LEAST: Self =
        Self { time: EPOCH_TICK, memory: 64 * KIB, memories: 1, instances: 1, component_size: 1, output: 1 };
}

/// Tables in one store.
pub const TABLES: usize = 8;
/// Elements of one table: enough for the function tables of Go and Python.
pub const TABLE_ELEMENTS: usize = 20_000;
/// Live resource handles in one store: a policy needs none, and the engine's own default is 100,000.
pub const COMPONENT_HANDLES: usize = 1024;
/// Wasm stack, bytes; it must fit into the thread's stack.
pub const WASM_STACK: usize = 512 * KIB;
/// Address space that smcp needs, bytes: about 250 MiB with small policies, and twice that leaves room for compiling a
/// larger one. A test runs with no more. The server's own needs are not included.
pub const ADDRESS_SPACE: u64 = 512 * MIB as u64;
/// Threads of one host that were given up and still run. Each keeps its stack and the memory of its policy, 36 MiB by
/// default. So many are a bug in the runtime or an attack, and one more would not answer either. Callers that wait at the
/// same moment may each add one more.
pub const ABANDONED_THREADS: usize = 16;
/// Native stack of an evaluation thread, bytes: the wasm stack and the host frames around it.
pub const THREAD_STACK: usize = 4 * MIB;
/// The time between two advances of the epoch from the deadline of a call on, until it ends or is given up. A deadline is
/// met to within one tick.
pub const EPOCH_TICK: Duration = Duration::from_millis(1);
/// The time that a call has to unwind after its deadline before its thread is given up: bulk memory operations and the
/// lifting of values are not interrupted by the epoch.
pub const DEADLINE_GRACE: Duration = Duration::from_secs(2);
/// The most that `describe` and `check-settings` may hand to the host, bytes of lifted values: a schema and a few
/// sentences.
pub const DESCRIBE_OUTPUT: usize = 256 * KIB;

/// One function's body, bytes: known compiler bugs (CVE-2026-115889, CVE-2026-115893) need huge functions.
pub const FUNCTION_BODY: usize = MIB;
/// Functions in one component.
pub const FUNCTIONS: usize = 50_000;
/// Components and modules inside one another: toolchains nest two or three, and the time to validate a file grows with
/// the square of it.
pub const NESTING: usize = 64;
/// Types of components and instances inside others, in one section: every parser recurses into them, and a native
/// stack overflow ends the process. Toolchains write a handful.
pub const NESTED_TYPES: usize = 1_000;
/// Policies of one layer by default, the built-in ones included: more than any company has rules.
pub const POLICIES: usize = 256;
/// The most that `policy.max_policies` can raise them to: each costs a call and a line in every record.
pub const POLICIES_CEILING: usize = 1024;
/// All policies of one layer together, wall clock: clients give up on a server that doesn't answer for a minute.
pub const POLICIES_TIME: Duration = Duration::from_secs(60);

/// Findings in one verdict, violations and notices together.
pub const FINDINGS: usize = 256;
/// Extensions of all findings of one verdict together: as many as findings, so that empty ones are bounded, too.
pub const EXTENSIONS: usize = FINDINGS;
/// The part of [`VERDICT`] that an extension costs besides its texts, bytes: the JSON around them in a document.
pub const EXTENSION_COST: usize = 16;
/// The most that a message quotes of a text from outside, such as a path or a command, bytes: enough to recognise it.
pub const QUOTED: usize = 200;
/// The most that a message quotes of one key or value among many, bytes: several fit into a message.
pub const QUOTED_VALUE: usize = 80;
/// The most of a parser's own message that is shown, bytes: it may quote a whole value of the document.
pub const PARSER_MESSAGE: usize = 300;
/// An administrator's contact, bytes: a channel, an address and a few words fit, and it is shown beside every reason.
pub const ADMIN_CONTACT: usize = 200;
/// One message, remedy or other text of a finding, bytes.
pub const MESSAGE: usize = 4 * KIB;
/// A policy's own version, bytes: SemVer with all its parts.
pub const POLICY_VERSION: usize = 256;
/// Names of imports or exports in one message: enough to see what a component was built for.
pub const NAMES_SHOWN: usize = 10;
/// One such name, bytes: a package, an interface and a version.
pub const NAME_SHOWN: usize = 200;
/// All texts of one verdict together, bytes.
pub const VERDICT: usize = 64 * KIB;
/// The settings of one policy as JSON, bytes.
pub const SETTINGS: usize = 256 * KIB;

/// All log lines of one evaluation together, bytes.
pub const LOG: usize = 64 * KIB;
/// One log line, bytes.
pub const LOG_LINE: usize = 4 * KIB;
/// Log lines of one evaluation.
pub const LOG_LINES: usize = 200;

/// The reason of an exception, and who approved it, bytes: a sentence with a ticket in it, and it is shown at every start.
pub const EXCEPTION_TEXT: usize = 500;
/// The days before an exception's end in which it is pointed out: time to have it approved again.
pub const EXCEPTION_SOON: u64 = 14;
/// A configuration file, bytes: a hundred times as much as a large company writes.
pub const CONFIG_FILE: usize = MIB;
/// A configuration after its aliases are expanded, bytes of text and two for every value: a file of plain text hardly
/// reaches it, a few lines of nested aliases would.
pub const CONFIG_EXPANDED: usize = 4 * MIB;
/// Opening brackets in a configuration, `[` and `{` together: the parser's time grows with the square of their depth,
/// and only their number can be known before it runs.
pub const CONFIG_BRACKETS: usize = 10_000;
/// Problems of one configuration file that are shown, at most: more than a person reads at once.
pub const CONFIG_PROBLEMS: usize = 100;
/// The most of a configuration file that is read again to find the places of its problems, bytes: each costs one more
/// walk through the whole file.
pub const CONFIG_REREAD: usize = 16 * MIB;
/// Symbolic links on the way to one file of rules, at most: as many as Linux follows.
pub const LINKS: usize = 40;
/// `start_timeout` by default: clients give up on a server that doesn't answer for a minute.
pub const START_TIMEOUT_DEFAULT: Duration = Duration::from_secs(60);
/// A `start_timeout` below this gets a remark: one slow answer of a registry uses it up.
pub const START_TIMEOUT_SHORT: Duration = Duration::from_secs(1);
/// `start_timeout`, at most: no client waits longer for a server to start.
pub const START_TIMEOUT: Duration = Duration::from_secs(60 * 60);
/// `max_facts_age` by default: servers still start during a day's outage of the registry.
pub const MAX_FACTS_AGE_DEFAULT: Duration = Duration::from_secs(24 * 60 * 60);
/// `max_facts_age`, at most: facts that are older say little about a package of today.
pub const MAX_FACTS_AGE: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// The age that a kept answer of a registry reaches before the same answer is written again: one small write to the
/// disk, once a minute, is not noticed.
pub const RESOLUTION_RENEWED: Duration = Duration::from_secs(60);
/// A kept answer of a registry, bytes: an answer, its signed statements, and a little more.
pub const RESOLUTION_KEPT: usize = 2 * MIB + statements::ANSWER;
/// How far the clock may stand before the last record without a word: two processes write at the same moment.
pub const CLOCK_SLACK: Duration = Duration::from_secs(5);
/// Kept answers that are looked at, for one package or for a list of the cache.
pub const RESOLUTIONS_READ: usize = 10_000;
/// The age from which an unfinished file in the cache counts as left behind: no download outlives `start_timeout`.
pub const DRAFT_ABANDONED: Duration = START_TIMEOUT;
/// The most times that a package is fetched when another process empties the cache meanwhile.
pub const FETCH_ATTEMPTS: usize = 3;
/// The file that marks a cache, bytes: the one that smcp writes has three hundred.
pub const CACHE_MARKER: usize = 4 * KIB;
/// Entries of a run's folder that are searched for files that the server left: a whole bundle, and as much again.
pub const LEFT_LOOKED_AT: usize = 2 * BUNDLE_ENTRIES;
/// The most files that a message names of those that a server left: enough to recognise them.
pub const LEFT_NAMED: usize = 5;
/// A facts document, bytes: a manifest and a little more.
pub const FACTS_FILE: usize = 16 * MIB;
/// An environment file, bytes: more than a process may get.
pub const ENV_FILE: usize = MIB;
/// A client's file, bytes: some keep their whole history in it.
pub const CLIENT_FILE: usize = 64 * MIB;
/// The time that `mcp-config` has to evaluate the policies for a package: a user who sets up a client would not wait
/// longer.
pub const ADVICE: Duration = Duration::from_secs(3);
/// The name of a server in a client, bytes: clients build names of tools with it, of which some take 64.
pub const SERVER_NAME: usize = 64;
/// A registry's answer to `resolve`, bytes.
pub const RESOLVE: usize = MIB;
/// A manifest, bytes (facts file, section 5).
pub const MANIFEST: usize = 10 * MIB;
/// A bundle as it is downloaded, bytes (facts file, section 5).
pub const BUNDLE: u64 = 100 * MIB as u64;
/// The longest wait for a registry when the cache could answer in its place: a network that swallows everything must
/// not use up the time that a client gives a server to start. Half of the deadline when that is less.
pub const RECALL_PATIENCE: Duration = Duration::from_secs(10);
/// The size from which a download gets a progress bar, bytes.
pub const PROGRESS_SIZE: u64 = MIB as u64;
/// The time after which a download of unknown size gets a progress bar.
pub const PROGRESS_DELAY: Duration = Duration::from_secs(1);
/// The file that `SSL_CERT_FILE` names, bytes: ten times all certificate authorities of a system.
pub const CERTIFICATES: usize = 8 * MIB;
/// A token, bytes: as much as servers accept in one header.
pub const TOKEN: usize = 16 * KIB;
/// The file with the tokens, bytes: a token for each of many registries.
pub const CREDENTIALS: usize = 4 * MIB;
/// A bundle unpacked, bytes (spec section 6).
pub const BUNDLE_UNPACKED: u64 = 1024 * MIB as u64;
/// One pattern for files that a publisher leaves out, bytes: a long path.
pub const PATTERN: usize = KIB;
/// Patterns in one file of patterns: each is compared with every path, and people write ten.
pub const PATTERNS: usize = 1000;
/// A file of such patterns, bytes: the greatest number of patterns, with their comments.
pub const PATTERN_FILE: usize = 256 * KIB;
/// The most files that a message lists because they can't be packed or are left out: they fit on a screen.
pub const PUBLISH_LISTED: usize = 20;
/// Entries in a bundle (spec section 6).
pub const BUNDLE_ENTRIES: usize = 100_000;
/// One name in a bundle's path, bytes: the limit of file systems.
pub const BUNDLE_NAME: usize = 255;
/// One path in a bundle, bytes: half of the limit of Linux, so that the folder around it fits too.
pub const BUNDLE_PATH: usize = 2048;
/// Folders inside folders in a bundle: removing a tree takes an open file for each.
pub const BUNDLE_DEPTH: usize = 128;
/// One extended header of a bundle, bytes: a path and a few attributes, held in memory.
pub const BUNDLE_HEADER: usize = 64 * KIB;
/// The most bytes after the last entry of a bundle's tar: archivers fill their last record with zeros.
pub const BUNDLE_PADDING: usize = MIB;
/// Connections that a served registry has open at once. Further ones wait to be accepted. It is enough for a team's
/// machines, and memory and threads stay bounded.
pub const SERVE_CONNECTIONS: usize = 64;
/// The head of one request to a served registry, bytes: paths, digests and a token fit many times.
pub const SERVE_HEAD: usize = 16 * KIB;
/// Header fields of one request to a served registry.
pub const SERVE_HEADERS: usize = 64;
/// The time that a client has for the head of a request, idle time between two requests included.
pub const SERVE_HEAD_TIME: Duration = Duration::from_secs(10);
/// The longest life of a connection to a served registry: the largest bundle at 200 KiB a second.
pub const SERVE_CONNECTION_TIME: Duration = Duration::from_secs(10 * 60);
/// The time that a served registry has to prepare one answer.
pub const SERVE_ANSWER_TIME: Duration = Duration::from_secs(30);
/// The time that is left for answers being sent once the server was asked to end.
pub const SERVE_END_GRACE: Duration = Duration::from_secs(5);
/// The wait after the system could not hand over a connection, mostly because file descriptors ran out.
pub const SERVE_ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Pieces of a file that are read ahead of a client.
pub const SERVE_READ_AHEAD: usize = 2;
/// Packages that are compared for a suggestion, which takes a tenth of a second. A catalogue has no such limit.
pub const SUGGESTIONS: usize = 100_000;
/// The time that a served registry has to list all its packages: the list is sent while it is made, as long as the
/// connection may last.
pub const SERVE_CATALOG_TIME: Duration = SERVE_CONNECTION_TIME;

/// The warning's block, bytes: under 1.5 KiB, since a client in use cuts instructions at 2 KiB (spec section 7).
pub const WARNING_BLOCK: usize = 3 * KIB / 2 - 1;
/// A package or a registry in a warning, bytes: it is written twice, and most have thirty.
pub const WARNING_NAME: usize = 80;
/// One message of a policy in a warning, bytes: a long sentence, so that several fit.
pub const WARNING_QUOTE: usize = 200;

/// The message for a client when nothing was started, bytes of one line: clients show as much without folding it.
pub const CLIENT_MESSAGE: usize = 500;
/// One reason or one remedy in that line, bytes: two reasons and their remedy fit.
pub const CLIENT_QUOTE: usize = 100;
/// The reason when there is only one, bytes.
pub const CLIENT_REASON: usize = 250;
/// The document that goes with that line, bytes: a decision of a hundred policies, far below what a client reads at
/// once.
pub const CLIENT_DATA: usize = 32 * KIB;
/// The silence of a client after which smcp ends when it has started nothing: a client that asks a second time, because
/// its first request was refused, does so within milliseconds.
pub const REFUSAL_QUIET: Duration = Duration::from_secs(3);
/// The time during which smcp answers a client for which it has started nothing, however many requests come.
pub const REFUSAL_WHOLE: Duration = Duration::from_secs(30);
/// One line of a client for which nothing was started, bytes. A longer line is skipped.
pub const REFUSAL_LINE: usize = MIB;

/// The part that is read of a file that the system did not start, bytes: its first line, or the head of a program with
/// the name of its loader.
pub const PROGRAM_HEAD: usize = 4 * KIB;
/// Directories of PATH that a message shows, searched and not searched together: more than people have.
pub const PATH_SHOWN: usize = 24;

/// The time that a server has after its client closed standard input, before SIGTERM. It can finish the answers that it
/// is sending; a server that hangs is not waited for.
pub const STDIN_CLOSED_GRACE: Duration = Duration::from_secs(5);
/// The time that a server has to end after SIGTERM, before SIGKILL. Clients in wide use send us SIGKILL two seconds
/// after their SIGTERM, and by then the server must be gone: no other process would end it.
pub const TERMINATE_GRACE: Duration = Duration::from_millis(1500);

/// The most of one line of a server that is held while the warning for the model is inserted, bytes (spec section 7):
/// far above the size of a handshake or a list of tools, far below what would be a burden.
pub const HELD_LINE: usize = 8 * MIB;
/// Requests of a client that are remembered until they are answered: more than any client has in flight. Beyond it
/// the oldest is forgotten, so that a client that never gets its answers costs no more than this.
pub const OPEN_REQUESTS: usize = 65_536;
/// A buffer of the relay, bytes, one for each direction: the default size of a pipe.
pub const RELAY_BUFFER: usize = 64 * KIB;
/// What a pipe between smcp and a server holds, bytes: four buffers, so that server and relay wait for each other a
/// quarter as often. Four times as much gains nothing more, and an ordinary user may have some hundred of these.
pub const RELAY_PIPE: i32 = 256 * 1024;
/// The most of one line of a client that is kept unread once the warning is delivered, bytes, in case the rest of it
/// concerns the warning: the text of a large file. A longer line is read as it comes, which is slower.
pub const SKIMMED_LINE: usize = MIB;
/// The longest wait for a client that does not read, once smcp was asked to end and the server has ended. With
/// [`TERMINATE_GRACE`] still under the two seconds after which clients send SIGKILL.
pub const RELAY_GRACE: Duration = Duration::from_millis(250);
/// One key or id in a message of the protocol, bytes: clients count or use UUIDs. A longer one matches nothing.
pub const PROTOCOL_TOKEN: usize = KIB;
/// Keys of one object that are compared with each other while a warning is undelivered: an answer has a handful.
pub const COMPARED_KEYS: usize = 65_536;
/// The most bytes that the warning may add to one line, in all its places together: thousands of tools. Without it a
/// line of empty tools would grow a hundredfold.
pub const INSERTED: usize = 8 * MIB;
/// The time that a server has to end after SIGTERM when smcp was killed. The killer of smcp didn't want to wait, and
/// may be starting the next one already.
pub const REAPER_ORPHAN_GRACE: Duration = Duration::from_millis(500);
/// The time between two rounds of killing the remaining processes of a server while none of them ends. Each round also
/// finds orphans that became children of the reaper.
pub const REAPER_SWEEP_ROUND: Duration = Duration::from_millis(50);
/// The most such rounds in a row without an end, five seconds in all, before the rest is given up: a process in a call
/// to a dead disk, or one that runs as another user. Killing takes milliseconds.
pub const REAPER_SWEEP_ROUNDS: u32 = 100;
/// Descriptors that the reaper closes one by one where the system can't close all: far more than smcp and its client
/// open, far fewer than the millions that a container may allow.
pub const REAPER_DESCRIPTORS: u32 = 4096;

/// The audit log's file, bytes: one that has grown beyond it is put aside, and a new one begins. Editors can open it.
pub const AUDIT_FILE: u64 = 64 * MIB as u64;
/// One record of the audit log, bytes: a manifest of the greatest size, every character of it escaped, and the rest.
pub const AUDIT_RECORD: u64 = 128 * MIB as u64;
/// The limit on open files below which a run fails, found by trying: with 40 a server starts, with 32 none does.
pub const OPEN_FILES: u64 = 48;
/// `/etc/passwd` or `/etc/group`, bytes: a hundred thousand users. With a longer file no group counts as private.
pub const USERS: usize = 8 * MIB;
/// The longest wait of a process for others that write to the audit log: a hundred of them need less than a second.
pub const AUDIT_LOCK: Duration = Duration::from_secs(10);
/// The time that the system's log has to accept a head of the audit log: the socket of a running daemon accepts it at
/// once.
pub const AUDIT_HEAD: Duration = Duration::from_secs(1);
/// Breaks of one audit log that are shown, at most: a log that was rewritten has one in every line.
pub const AUDIT_BREAKS: usize = 100;
/// Packages that a policy is asked about at most while other facts are looked for that it would pass: ten times what it
/// takes to try each value of each fact.
pub const EXPLAIN_QUESTIONS: usize = 5_000;
/// The time that all of that may take: a person waits.
pub const EXPLAIN_TIME: Duration = Duration::from_secs(5);
/// Files and folders that are counted of what one server keeps: a second of a person's time.
pub const DATA_ENTRIES: usize = 200_000;
/// A clock before this time is wrong: the first day of the year in which this version was made, seconds since the Unix
/// epoch.
pub const EARLIEST: u64 = 1_767_225_600;
/// The error that stops every decision when the clock is before 1970: records and policies could not get the time.
pub const CLOCK_BEFORE_EPOCH: &str = "the system's clock stands before 1970, or thousands of years ahead\n  set it: certificates, exceptions and the \
                                      audit log depend on it";
/// The file `/proc/self/status`, bytes: sixty lines about a process.
pub const PROCESS_STATUS: usize = 64 * KIB;
/// The file `/proc/self/mountinfo`, bytes: a line of a few hundred for each of some thousand mounts.
pub const MOUNTS: usize = 4 * MIB;
/// The most time by which the facts in a cache may lie in the future: a correction of the clock by a time server.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);
/// The bytes that are written, and removed again, to test whether records could be written: a decision, a start and an
/// end with a small manifest.
pub const AUDIT_PROBE: usize = 16 * KIB;
/// The note about a running server beside the audit log, bytes: a few numbers, and the names of a package.
pub const AUDIT_RUNNING: usize = 16 * KIB;
/// Ends of abandoned starts that one command records: each is a write that waits for the disk. The next command goes
/// on.
pub const AUDIT_ABANDONED: usize = 64;
/// Starts without an end whose numbers are kept while a log is read: more than a machine starts in a week.
pub const AUDIT_UNENDED: usize = 100_000;
/// The most such numbers, and the most names of foreign files beside the log, that are shown.
pub const AUDIT_SHOWN: usize = 10;
/// Files that the audit log may consist of: names have six digits.
pub const AUDIT_FILES: u32 = 999_999;
