//! A server with a warning: all messages arrive, complete and in order.
//!
//! Names that begin with `p` and a number are today's defects, numbered as in the list that the proxy was built from.

use std::fs::File;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::PipeReader;
use std::io::PipeWriter;
use std::io::Read;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::thread::JoinHandle;
use std::thread::spawn;

use nix::fcntl::FcntlArg;
use nix::fcntl::OFlag;
use nix::fcntl::fcntl;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::bed::Bed;
use crate::bed::PATIENT;
use crate::bed::clearance;
use crate::bed::entrypoint;
use crate::bed::sh;
use crate::bed::warning;
use smcp_launch::Finished;
use smcp_launch::ending::GracePeriods;
use smcp_launch::error::LaunchError;
use smcp_launch::launch;
use smcp_launch::status::Ended;
use smcp_model::digest::Digest;
use smcp_model::manifest::Entrypoint;
use smcp_model::record::EndedBy;
use smcp_model::warning::Delivery;

/// A client of a server that has a warning.
pub(crate) struct Client {
    pub(crate) input: PipeWriter,
    pub(crate) output: BufReader<PipeReader>,
    pub(crate) launch: JoinHandle<Result<Finished, LaunchError>>,
    pub(crate) bed: Bed,
}

impl Client {
    pub(crate) fn of(server: Entrypoint) -> Self {
        Self::with(Bed::new(), server, PATIENT)
    }

    pub(crate) fn with(bed: Bed, server: Entrypoint, grace_periods: GracePeriods) -> Self {
        let (server_input, input) = std::io::pipe().unwrap();
        let (output, server_output) = std::io::pipe().unwrap();
        let launch = launch_warned(&bed, server, server_input, server_output, grace_periods);
        Self { input, output: BufReader::new(output), launch, bed }
    }

    pub(crate) fn says(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).unwrap();
    }

    #[track_caller]
    pub(crate) fn hears(&mut self, line: &str) {
        assert_eq!(self.line(), line);
    }

    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        let mut heard = String::new();
        assert_ne!(self.output.read_line(&mut heard).unwrap(), 0, "the server's output has ended");
        heard
    }

    /// Waits until the launch fails, with the server's input still open.
    pub(crate) fn fails(mut self) -> (LaunchError, Vec<u8>) {
        let rest = rest_of(&mut self.output);
        (self.launch.join().unwrap().unwrap_err(), rest)
    }

    /// Closes the input, and reads the remaining output.
    pub(crate) fn leaves(self) -> (Result<Finished, LaunchError>, Vec<u8>) {
        let Self { input, mut output, launch, bed } = self;
        drop(input);
        let rest = rest_of(&mut output);
        let finished = launch.join().unwrap();
        drop(bed);
        (finished, rest)
    }

    /// Waits until the server ends, with its input still open.
    pub(crate) fn waits(mut self) -> (Ended, Vec<u8>) {
        let rest = rest_of(&mut self.output);
        (self.launch.join().unwrap().unwrap().ended, rest)
    }

    /// Closes only the output stream; sends one more line, and waits for the end.
    pub(crate) fn stops_listening(mut self) -> Ended {
        drop(self.output);
        self.input.write_all(b"go on\n").unwrap();
        self.launch.join().unwrap().unwrap().ended
    }

    pub(crate) fn is_launched(&self) -> bool {
        !self.launch.is_finished()
    }
}

fn launch_warned(
    bed: &Bed,
    server: Entrypoint,
    input: impl Into<OwnedFd>,
    output: impl Into<OwnedFd>,
    grace_periods: GracePeriods,
) -> JoinHandle<Result<Finished, LaunchError>> {
    let mut setup = bed.setup(input, output, grace_periods);
    setup.warning = Some(warning());
    spawn(move || launch(clearance(server), setup))
}

pub(crate) fn rest_of(output: &mut impl Read) -> Vec<u8> {
    let mut rest = Vec::new();
    output.read_to_end(&mut rest).unwrap();
    rest
}

pub(crate) fn python(script: &str) -> Entrypoint {
    entrypoint("python3", &["-I", "-S", "-c", script])
}

/// Random bytes with line ends, the same in every run.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

#[test]
fn what_a_server_repeats_arrives_byte_for_byte() {
    let cases: [(&str, &[u8]); 8] = [
        ("nothing", b""),
        ("a line", b"one\n"),
        ("no line end at the end", b"one\ntwo"),
        ("lines of Windows", b"one\r\ntwo\r\n"),
        ("empty lines", b"\n\n\n"),
        ("bytes that are no text", b"\xff\xfe\0\x80\n\xc3"),
        ("a message", b"{\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n"),
        ("half a message", b"{\"jsonrpc\":\"2.0\",\"meth"),
    ];
    for (case, bytes) in cases {
        let mut client = Client::of(sh("cat"));
        client.input.write_all(bytes).unwrap();
        let (finished, heard) = client.leaves();
        assert_eq!(finished.unwrap().ended, Ended::Exited(0), "{case}");
        assert_eq!(heard, bytes, "{case}");
    }
}

#[test]
fn a_hundred_mebibytes_pass_unchanged_both_ways_after_the_handshake() {
    const BLOCK: usize = 1024 * 1024;
    let block = noise(BLOCK);
    // Each round begins at another place in the block, so that misplaced bytes can't cancel out.
    let round = move |round: usize| [&block[round * 7919 % BLOCK..], &block[..round * 7919 % BLOCK]].concat();
    let server = "import os
os.read(0, 4096); os.write(1, b'{\"id\":0,\"result\":{}}\\n')
os.read(0, 4096); os.write(1, b'ready\\n')
os.execlp('cat', 'cat')";
    let mut client = Client::of(python(server));
    client.says("{\"id\":0,\"method\":\"initialize\"}\n");
    assert!(client.line().contains("SECURITY WARNING"));
    client.says("{\"method\":\"notifications/initialized\"}\n");
    client.hears("ready\n");
    let Client { mut input, mut output, launch, bed: _bed } = client;
    let sent = round.clone();
    let writer = spawn(move || (0..100).for_each(|number| input.write_all(&sent(number)).unwrap()));
    let mut heard = vec![0; BLOCK];
    for number in 0..100 {
        output.read_exact(&mut heard).unwrap();
        assert_eq!(Digest::of(&heard), Digest::of(&round(number)), "round {number}");
    }
    writer.join().unwrap();
    assert_eq!(rest_of(&mut output), b"");
    assert_eq!(launch.join().unwrap().unwrap().ended, Ended::Exited(0));
}

#[test]
fn a_line_of_64_mebibytes_passes() {
    let size = 64 * 1024 * 1024;
    let script = "import sys; line = sys.stdin.buffer.readline(); sys.stdout.buffer.write(line); print(len(line))";
    let Client { mut input, mut output, launch, bed: _bed } = Client::of(python(script));
    let message = |filler: &[u8]| {
        [br#"{"jsonrpc":"2.0","method":"notifications/x","params":{"data":""#, filler, b"\"}}\n"].concat()
    };
    let long = message(&vec![b'a'; size]);
    let writer = spawn(move || input.write_all(&long).unwrap());
    let heard = rest_of(&mut output);
    writer.join().unwrap();
    assert_eq!(launch.join().unwrap().unwrap().ended, Ended::Exited(0));
    let expected = message(&vec![b'a'; size]);
    let rest = format!("{}\n", expected.len());
    assert!(heard == [&expected[..], rest.as_bytes()].concat(), "{} of {} bytes", heard.len(), expected.len());
}

#[test]
fn two_thousand_messages_are_in_flight_each_way_before_anybody_reads_one() {
    // 100 KB each way, which is more than a pipe holds, so the relay has to read in both directions.
    let server = "import sys
for n in range(2000): sys.stdout.write('server %042d\\n' % n)
sys.stdout.flush()
open('written', 'w').close()
sys.exit(0 if [line for line in sys.stdin] == ['client %042d\\n' % n for n in range(2000)] else 1)";
    let bed = Bed::new();
    let written = bed.root().join("written");
    mkfifo(&written, Mode::S_IRWXU).unwrap();
    let mut client = Client::with(bed, python(server), PATIENT);
    for number in 0..2000 {
        client.says(&format!("client {number:042}\n"));
    }
    // A named pipe: this waits until the server has written everything, though nobody has read any of it.
    assert_eq!(rest_of(&mut File::open(&written).unwrap()), b"");
    for number in 0..2000 {
        client.hears(&format!("server {number:042}\n"));
    }
    let (finished, heard) = client.leaves();
    assert_eq!((finished.unwrap().ended, heard), (Ended::Exited(0), Vec::new()));
}

#[test]
fn two_thousand_large_messages_pass_at_once_each_way() {
    let server = "import sys, threading
def talk():
    for n in range(2000): sys.stdout.write('server %05d ' % n + 's' * 4000 + '\\n')
    sys.stdout.flush()
talking = threading.Thread(target=talk); talking.start()
right = [line for line in sys.stdin] == ['client %05d ' % n + 'c' * 4000 + '\\n' for n in range(2000)]
talking.join()
sys.exit(0 if right else 1)";
    let Client { mut input, mut output, launch, bed: _bed } = Client::of(python(server));
    let filler = "c".repeat(4000);
    let writer = spawn(move || (0..2000).for_each(|number| writeln!(input, "client {number:05} {filler}").unwrap()));
    for number in 0..2000 {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, format!("server {number:05} {}\n", "s".repeat(4000)));
    }
    writer.join().unwrap();
    assert_eq!(launch.join().unwrap().unwrap().ended, Ended::Exited(0));
}

#[test]
fn a_client_whose_descriptors_do_not_block_is_waited_for() {
    let (server_input, mut input) = std::io::pipe().unwrap();
    let (mut output, server_output) = std::io::pipe().unwrap();
    for end in [OwnedFd::from(server_input.try_clone().unwrap()), server_output.try_clone().unwrap().into()] {
        fcntl(end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    }
    let bed = Bed::new();
    let launch = launch_warned(&bed, sh("cat"), server_input, server_output, PATIENT);
    let sent = noise(4 * 1024 * 1024);
    let expected = Digest::of(&sent);
    let writer = spawn(move || input.write_all(&sent).unwrap());
    assert_eq!(Digest::of(&rest_of(&mut output)), expected);
    writer.join().unwrap();
    assert_eq!(launch.join().unwrap().unwrap().ended, Ended::Exited(0));
}

#[test]
fn descriptors_of_the_client_stay_as_they_are() {
    let (server_input, input) = std::io::pipe().unwrap();
    let (mut output, server_output) = std::io::pipe().unwrap();
    let ends = [OwnedFd::from(server_input.try_clone().unwrap()), server_output.try_clone().unwrap().into()];
    let flags = || ends.each_ref().map(|end| fcntl(end, FcntlArg::F_GETFL).unwrap());
    let before = flags();
    let bed = Bed::new();
    let launch = launch_warned(&bed, sh("echo ready; cat"), server_input, server_output, PATIENT);
    let mut ready = [0; 6];
    output.read_exact(&mut ready).unwrap();
    assert_eq!(flags(), before);
    drop(input);
    assert_eq!(launch.join().unwrap().unwrap().ended, Ended::Exited(0));
}

#[test]
fn a_server_that_never_answers_is_told_everything() {
    let mut client = Client::of(sh("cat >heard; exit 4"));
    client.says("one\n");
    client.says("two");
    let heard = client.bed.root().join("heard");
    let Client { input, mut output, launch, bed } = client;
    drop(input);
    assert_eq!(rest_of(&mut output), b"");
    let finished = launch.join().unwrap().unwrap();
    let delivery = Some(Delivery::Undelivered);
    assert_eq!(finished, Finished { ended: Ended::Exited(4), by: EndedBy::Client, delivery });
    assert_eq!(std::fs::read(heard).unwrap(), b"one\ntwo");
    drop(bed);
}

#[test]
fn what_a_server_says_after_its_input_was_closed_arrives() {
    let (finished, heard) = Client::of(sh("cat >/dev/null; echo late; exit 3")).leaves();
    assert_eq!((finished.unwrap().ended, heard.as_slice()), (Ended::Exited(3), b"late\n".as_slice()));
}

#[test]
fn a_server_that_ends_in_the_middle_of_a_line_is_heard_to_its_last_byte() {
    for half in ["half a line", "{\\\"jsonrpc\\\":\\\"2.0\\\",\\\"id\\\":1,\\\"result\\\":{"] {
        let (ended, heard) = Client::of(sh(&format!("printf %s \"{half}\"; exit 9"))).waits();
        assert_eq!((ended, heard), (Ended::Exited(9), half.replace('\\', "").into_bytes()));
    }
}
