//! Every limit, deadline and size, with its unit and reason (spec 8).

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// What one policy may use. The defaults are [`PolicyLimits::DEFAULT`]; a configuration may say anything from
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
    /// What `evaluate` may hand to the host, bytes of lifted values.
    pub output: usize,
}

impl PolicyLimits {
    /// What a policy gets when the configuration says nothing.
    pub const DEFAULT: Self = Self {
        // Real policies need microseconds; half a second is what a person doesn't notice.
        time: Duration::from_millis(500),
        // Bulk memory operations can't be interrupted, so memory bounds how far a deadline is overshot: 32 MiB is
        // about 25 to 40 ms.
        memory: 32 * MIB,
        // What a JavaScript runtime is made of has three of them; their bytes are bounded together.
        memories: 8,
        // Components of other languages' toolchains have some ten of them.
        instances: 64,
        // Python has 18 MB, JavaScript 12.
        component_size: 32 * MIB,
        // Far above the 64 KiB that a verdict may have, far below what hurts.
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
/// Wasm stack, bytes; it must fit the thread's.
pub const WASM_STACK: usize = 512 * KIB;
/// Address space that smcp needs, bytes: about 250 MiB with small policies, and twice that leaves room for compiling a
/// larger one. A test runs with no more. What the server needs is its own.
pub const ADDRESS_SPACE: u64 = 512 * MIB as u64;
/// Threads that were given up and still run, in one host. Each keeps its stack and the memory of its policy, 36 MiB by
/// default; so many are a bug in the runtime or an attack, and one more would not answer either.
pub const ABANDONED_THREADS: usize = 16;
/// Native stack of the thread that evaluates, bytes: the wasm stack and the host frames around it.
pub const THREAD_STACK: usize = 4 * MIB;
/// How often the epoch advances while a call is in flight. A deadline is met to within one tick.
pub const EPOCH_TICK: Duration = Duration::from_millis(1);
/// How long after its deadline a call may take to unwind before its thread is given up: bulk memory operations and
/// the lifting of values are not interrupted by the epoch.
pub const DEADLINE_GRACE: Duration = Duration::from_secs(2);
/// What `describe` and `check-settings` may hand to the host, bytes of lifted values: they carry a schema and a few
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
/// stack that ends takes the process with it. Toolchains write a handful.
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
/// What an extension costs of [`VERDICT`] besides its texts, bytes: what stands around them in a document.
pub const EXTENSION_COST: usize = 16;
/// What a message quotes of a text that somebody typed, a path or a command for one, bytes: enough to recognise it.
pub const QUOTED: usize = 200;
/// The same of one key or value among many, bytes: several have room in a message.
pub const QUOTED_VALUE: usize = 80;
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

/// A configuration file, bytes: a hundred times what a large company writes.
pub const CONFIG_FILE: usize = MIB;
/// A configuration once its aliases are expanded, bytes of text and two for every value: what stands in the file can
/// hardly pass it, a few lines of nested aliases would.
pub const CONFIG_EXPANDED: usize = 4 * MIB;
/// Opening brackets in a configuration, `[` and `{` together: the parser's time grows with the square of their depth,
/// and only their number can be known before it runs.
pub const CONFIG_BRACKETS: usize = 10_000;
/// Problems of one configuration file that are shown, at most: more than anybody reads at once.
pub const CONFIG_PROBLEMS: usize = 100;
/// How much of a configuration file is read again to find the places of its problems, bytes: each costs one more walk
/// through the whole file.
pub const CONFIG_REREAD: usize = 16 * MIB;
/// Symbolic links on the way to one file of rules, at most: as many as Linux follows.
pub const LINKS: usize = 40;
/// `start_timeout` by default: clients give up on a server that doesn't answer for a minute.
pub const START_TIMEOUT_DEFAULT: Duration = Duration::from_secs(60);
/// A `start_timeout` below this is worth a remark: one slow answer of a registry uses it up.
pub const START_TIMEOUT_SHORT: Duration = Duration::from_secs(1);
/// `start_timeout`, at most: whoever waits longer for a server to start has given up.
pub const START_TIMEOUT: Duration = Duration::from_secs(60 * 60);
/// `max_facts_age` by default: a day's outage of the registry stops nobody.
pub const MAX_FACTS_AGE_DEFAULT: Duration = Duration::from_secs(24 * 60 * 60);
/// `max_facts_age`, at most: facts that are older say little about a package of today.
pub const MAX_FACTS_AGE: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How old a kept answer of a registry gets before the same answer is written again: one small write to the disk, once
/// a minute, is not felt by anybody who starts servers.
pub const RESOLUTION_RENEWED: Duration = Duration::from_secs(60);
/// A kept answer of a registry, bytes: an answer and a little more.
pub const RESOLUTION_KEPT: usize = 2 * MIB;
/// Kept answers that are looked at, for one package or for a list of the cache.
pub const RESOLUTIONS_READ: usize = 10_000;
/// How long to wait before another try for a cached file that somebody else is about to remove, which takes no longer.
pub const LEASE_PAUSE: Duration = Duration::from_millis(5);
/// How old an unfinished file in the cache must be to count as left behind: no download outlives `start_timeout`.
pub const DRAFT_ABANDONED: Duration = START_TIMEOUT;
/// How often a package is fetched again when the cache is emptied by somebody else meanwhile.
pub const FETCH_ATTEMPTS: usize = 3;
/// The file that marks a cache, bytes: ours has three hundred.
pub const CACHE_MARKER: u64 = 4 * KIB as u64;
/// Entries of a run's folder that are looked at for what the server left there: a whole bundle, and as much again.
pub const LEFT_LOOKED_AT: usize = 2 * BUNDLE_ENTRIES;
/// How many of the files that a server left are named: enough to know them by.
pub const LEFT_NAMED: usize = 5;
/// One such name, characters.
pub const LEFT_NAME: usize = 200;
/// A facts document, bytes: a manifest and a little more.
pub const FACTS_FILE: usize = 16 * MIB;
/// An environment file, bytes: more than a process may get.
pub const ENV_FILE: usize = MIB;
/// A client's file, bytes: some keep their whole history in it.
pub const CLIENT_FILE: usize = 64 * MIB;
/// How long `mcp-config` looks what the rules say of a package: whoever sets a client up would not wait for longer.
pub const ADVICE: Duration = Duration::from_secs(3);
/// The name of a server in a client, bytes: clients build names of tools with it, of which some take 64.
pub const SERVER_NAME: usize = 64;
/// A registry's answer to `resolve`, bytes.
pub const RESOLVE: usize = MIB;
/// A manifest, bytes (facts file, section 5).
pub const MANIFEST: usize = 10 * MIB;
/// A bundle as it is downloaded, bytes (facts file, section 5).
pub const BUNDLE: u64 = 100 * MIB as u64;
/// Requests for one thing, at most: a registry that fails three times in a row is down.
pub const HTTP_TRIES: u32 = 3;
/// How long to wait before the second request; twice as long before each further one, less a random part, so that
/// clients that failed together don't come back together.
pub const HTTP_BACKOFF: Duration = Duration::from_millis(250);
/// The longest wait that a registry may ask for: whoever needs longer is down, and saying so helps more.
pub const HTTP_RETRY_AFTER: Duration = Duration::from_secs(30);
/// How long a connection may take to come about, TLS included: three tries of it fit into the default start timeout.
pub const HTTP_CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take to begin: three tries of it leave some of the default start timeout for something else.
pub const HTTP_ANSWER: Duration = Duration::from_secs(15);
/// How long a registry is waited for when the cache could answer in its place: a network that swallows everything must
/// not use up the time that a client gives a server to start in. Half of the deadline when that is less.
pub const RECALL_PATIENCE: Duration = Duration::from_secs(10);
/// Redirects in a row: storage behind a registry needs one or two.
pub const HTTP_REDIRECTS: usize = 5;
/// Status line and headers of an answer, bytes.
pub const HTTP_HEADERS: usize = 64 * KIB;
/// One URL, bytes: what storage signs is long, and nobody needs more.
pub const HTTP_URL: usize = 8 * KIB;
/// How much of an error's body is read, bytes.
pub const HTTP_ERROR: usize = 4 * KIB;
/// How much of an error's message is shown, bytes.
pub const HTTP_ERROR_SHOWN: usize = 200;
/// A download that is worth a progress bar, bytes.
pub const PROGRESS_SIZE: u64 = MIB as u64;
/// How long a download of unknown size takes before it is worth a progress bar.
pub const PROGRESS_DELAY: Duration = Duration::from_secs(1);
/// The file that `SSL_CERT_FILE` names, bytes: ten times all the authorities of a system.
pub const CERTIFICATES: usize = 8 * MIB;
/// A token, bytes: what servers take as one header.
pub const TOKEN: usize = 16 * KIB;
/// The file of the tokens, bytes: a token for each of many registries.
pub const CREDENTIALS: usize = 4 * MIB;
/// A bundle unpacked, bytes (spec section 6).
pub const BUNDLE_UNPACKED: u64 = 1024 * MIB as u64;
/// One pattern of what a publisher leaves out, bytes: a long path.
pub const PATTERN: usize = KIB;
/// Patterns in one file of them: each is held against every path, and people write ten.
pub const PATTERNS: usize = 1000;
/// A file of such patterns, bytes: as many as are read, with their comments.
pub const PATTERN_FILE: usize = 256 * KIB;
/// Things that can't be packed, or that are left out, which a message lists: a screen has room for them.
pub const PUBLISH_LISTED: usize = 20;
/// Entries in a bundle (spec section 6).
pub const BUNDLE_ENTRIES: usize = 100_000;
/// One name in a bundle's path, bytes: what file systems hold.
pub const BUNDLE_NAME: usize = 255;
/// One path in a bundle, bytes: half of what Linux takes, so that the folder around it fits too.
pub const BUNDLE_PATH: usize = 2048;
/// Folders inside folders in a bundle: removing a tree takes an open file for each.
pub const BUNDLE_DEPTH: usize = 128;
/// One extended header of a bundle, bytes: a path and a few attributes, held in memory.
pub const BUNDLE_HEADER: usize = 64 * KIB;
/// What may follow the last entry of a bundle's tar, bytes: archivers fill their last record with zeros.
pub const BUNDLE_PADDING: usize = MIB;
/// Connections that a served registry has open at once. Those that are more wait to be accepted: a team's machines are
/// served, and memory and threads stay bounded.
pub const SERVE_CONNECTIONS: usize = 64;
/// The head of one request to a served registry, bytes: paths, digests and a token fit many times.
pub const SERVE_HEAD: usize = 16 * KIB;
/// Header fields of one request to a served registry.
pub const SERVE_HEADERS: usize = 64;
/// How long a client may take for the head of a request, idle time between two requests included.
pub const SERVE_HEAD_TIME: Duration = Duration::from_secs(10);
/// How long one connection to a served registry may last: the largest bundle at 200 KiB a second.
pub const SERVE_CONNECTION_TIME: Duration = Duration::from_secs(10 * 60);
/// How long a served registry may look for one answer.
pub const SERVE_ANSWER_TIME: Duration = Duration::from_secs(30);
/// How long answers that are under way may take once the server was asked to end.
pub const SERVE_END_GRACE: Duration = Duration::from_secs(5);
/// How long to wait after the system could not hand over a connection, most often for want of file descriptors.
pub const SERVE_ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Pieces of a file that are read ahead of a client.
pub const SERVE_READ_AHEAD: usize = 2;
/// Packages that are looked at for a suggestion: a tenth of a second. A catalogue has no such limit.
pub const SUGGESTIONS: usize = 100_000;
/// How long a served registry may take to list all of its packages: it is sent as it is found, to the end of the
/// connection's own time.
pub const SERVE_CATALOG_TIME: Duration = SERVE_CONNECTION_TIME;

/// The warning's block, bytes: under 1.5 KiB, since a client in use cuts instructions at 2 KiB (spec section 7).
pub const WARNING_BLOCK: usize = 3 * KIB / 2 - 1;
/// A package or a registry in a warning, bytes: it stands there twice, and most have thirty.
pub const WARNING_NAME: usize = 80;
/// One message of a policy in a warning, bytes: a long sentence, so that several fit.
pub const WARNING_QUOTE: usize = 200;

/// What a client is told when nothing was started, bytes of one line: what clients show of an error without folding it.
pub const CLIENT_MESSAGE: usize = 500;
/// One reason, or what helps against it, in that line, bytes: two reasons and their remedy fit.
pub const CLIENT_QUOTE: usize = 100;
/// The reason where there is only one, bytes.
pub const CLIENT_REASON: usize = 250;
/// The document behind that line, bytes: a decision of a hundred policies, far below what a client reads at once.
pub const CLIENT_DATA: usize = 32 * KIB;
/// How long a client may be silent before smcp ends that has started nothing: a client that asks a second time, because
/// the first question was refused, does so within milliseconds.
pub const REFUSAL_QUIET: Duration = Duration::from_secs(3);
/// How long smcp answers a client for which it has started nothing, however much that asks.
pub const REFUSAL_WHOLE: Duration = Duration::from_secs(30);
/// One line of a client for which nothing was started, bytes. A longer one is passed over.
pub const REFUSAL_LINE: usize = MIB;

/// How much of a file is read that the system did not start, bytes: its first line, or the head of a program with the
/// name of its loader.
pub const PROGRAM_HEAD: usize = 4 * KIB;
/// Directories of PATH that a message shows, those that were searched and those that were not: more than people have.
pub const PATH_SHOWN: usize = 24;

/// How long a server may go on after its client closed standard input, before SIGTERM. Answers that are under way
/// are finished, a server that hangs is not waited for.
pub const STDIN_CLOSED_GRACE: Duration = Duration::from_secs(5);
/// How long a server may take to end after SIGTERM, before SIGKILL. Clients in wide use send us SIGKILL two seconds
/// after their SIGTERM, and by then the server must be gone: nobody else would end it.
pub const TERMINATE_GRACE: Duration = Duration::from_millis(1500);

/// How much of one line of a server is held while the warning for the model is being put in, bytes (spec section 7):
/// far above what a handshake or a list of tools takes, far below what hurts.
pub const HELD_LINE: usize = 8 * MIB;
/// Requests of a client that are remembered until they are answered: more than any client has in flight. Beyond it
/// the oldest is forgotten, so that a client that never gets its answers costs no more than this.
pub const OPEN_REQUESTS: usize = 65_536;
/// A buffer of the relay, bytes, one for each direction: what a pipe holds unless somebody changed it.
pub const RELAY_BUFFER: usize = 64 * KIB;
/// How much of one line of a client is kept unread once the warning is delivered, bytes, in case the rest of it concerns
/// the warning: the text of a large file. A longer line is read as it comes, which is slower.
pub const SKIMMED_LINE: usize = MIB;
/// How long smcp waits for a client that does not read, once smcp was asked to end and the server has ended. With
/// [`TERMINATE_GRACE`] still under the two seconds after which clients send SIGKILL.
pub const RELAY_GRACE: Duration = Duration::from_millis(250);
/// One key or id in a message of the protocol, bytes: clients count or use UUIDs. A longer one matches nothing.
pub const PROTOCOL_TOKEN: usize = KIB;
/// Keys of one object that are compared with each other while a warning is undelivered: an answer has a handful.
pub const COMPARED_KEYS: usize = 65_536;
/// What the warning may add to one line, bytes, in all its places together: thousands of tools. Without it a line of
/// empty tools would grow a hundredfold.
pub const INSERTED: usize = 8 * MIB;
/// How long a server may take to end after SIGTERM when smcp was killed. Whoever killed smcp didn't want to wait, and may
/// start the next one already.
pub const REAPER_ORPHAN_GRACE: Duration = Duration::from_millis(500);
/// How often what is left of a server is killed again while none of it ends: children that move up are looked for.
pub const REAPER_SWEEP_ROUND: Duration = Duration::from_millis(50);
/// How many such rounds in a row may pass without an end, five seconds in all, before the rest is given up: a process in
/// a call to a dead disk, or one that runs as somebody else. Killing takes milliseconds.
pub const REAPER_SWEEP_ROUNDS: u32 = 100;
/// Descriptors that the reaper closes one by one where the system can't close all: far more than smcp and its client open,
/// far fewer than the millions that a container may allow.
pub const REAPER_DESCRIPTORS: u32 = 4096;

/// The audit log's file, bytes: one that has grown beyond it is put aside, and the next one begins. Editors open it.
pub const AUDIT_FILE: u64 = 64 * MIB as u64;
/// One record of the audit log, bytes: a manifest of the greatest size, every character of it escaped, and the rest.
pub const AUDIT_RECORD: u64 = 128 * MIB as u64;
/// What the diagnosis writes into the folder of a run, bytes: more than a file system that is full takes.
pub const RUN_PROBE: usize = 64 * KIB;
/// Open files below which a run fails somewhere, found by trying: with 40 one starts, with 32 none does.
pub const OPEN_FILES: u64 = 48;
/// `/etc/passwd` or `/etc/group`, bytes: a hundred thousand users. In a longer one nobody's group counts as his own.
pub const USERS: usize = 8 * MIB;
/// How long a process waits for the others that write to the audit log: a hundred of them need less than a second.
pub const AUDIT_LOCK: Duration = Duration::from_secs(10);
/// How long the system's log may take to accept a head of the audit log: a socket to a daemon that lives takes it at
/// once.
pub const AUDIT_HEAD: Duration = Duration::from_secs(1);
/// Breaks of one audit log that are shown, at most: a log that was rewritten has one in every line.
pub const AUDIT_BREAKS: usize = 100;
/// A clock that stands before this is wrong: the first day of the year in which this version was made, seconds since
/// the Unix epoch.
pub const EARLIEST: u64 = 1_767_225_600;
/// What stops every decision when the clock stands before 1970: no record and no policy could be told the time.
pub const CLOCK_BEFORE_EPOCH: &str = "the system's clock stands before 1970, or thousands of years ahead\n  set it: certificates, exceptions and the \
                                      audit log depend on it";
/// What the system says of a process in `/proc/self/status`, bytes: sixty lines.
pub const PROCESS_STATUS: usize = 64 * KIB;
/// How far in the future the facts in a cache may lie: what time servers put right while facts are kept.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);
/// What is written, and removed again, to see whether a record could be: a decision, a start and an end with a small
/// manifest, bytes.
pub const AUDIT_PROBE: usize = 16 * KIB;
/// What is kept of a running server beside the audit log, bytes: a few numbers, and the names of a package.
pub const AUDIT_RUNNING: usize = 16 * KIB;
/// Ends of abandoned starts that one command records: each is a write that waits for the disk. The next one goes on.
pub const AUDIT_ABANDONED: usize = 64;
/// Starts without an end whose numbers are kept while a log is read: more than a machine starts in a week.
pub const AUDIT_UNENDED: usize = 100_000;
/// Such numbers that are shown, and names of foreign files beside the log.
pub const AUDIT_SHOWN: usize = 10;
/// Files that the audit log may consist of: names have six digits.
pub const AUDIT_FILES: u32 = 999_999;
