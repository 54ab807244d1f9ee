//! The progress of a slow download, which is shown only to a person.

use std::process::Stdio;

use crate::bed::TestBed;
use crate::server::Reply;
use crate::server::Server;
use crate::server::message;
use crate::terminal::Terminal;
use crate::trial::Goods;
use crate::trial::RESOLVE;

#[test]
fn a_large_download_has_a_bar_where_somebody_looks() {
    const MIB: usize = 1 << 20;
    let cases = [
        ("xterm", "", 3 * MIB, true),
        ("xterm", "", MIB, false),
        ("xterm", "-q", 3 * MIB, false),
        ("xterm", "--json", 3 * MIB, false),
        ("dumb", "", 3 * MIB, false),
    ];
    std::thread::scope(|scope| {
        for (kind, options, size, expected) in cases {
            scope.spawn(move || {
                let goods = Goods::get();
                let mut script = goods.honest();
                let entry = goods.entry_with(|entry| entry["resolved"]["bundle"]["size_bytes"] = size.into());
                script.set(RESOLVE, Reply::ok(entry));
                // Half of the bundle, and then nothing until the deadline, so that there is time to look.
                let half = message(200, &[("content-length", &size.to_string())], &vec![0; size / 2]);
                script.set(&goods.artifact("bundle"), Reply::Stall(half));
                let (bed, server, terminal) = (TestBed::new(), Server::start(script), Terminal::of_width(100));
                bed.write(".mcp/config.yaml", format!("registry_url: {}\nstart_timeout: 2s\n", server.url()));
                let mut command = bed.smcp(&format!("{options} pull acme/tool@1.0.0")).env("TERM", kind).command;
                command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(terminal.stream());
                let mut child = command.spawn().unwrap();
                drop(command);
                let screen = terminal.end();
                assert_eq!(child.wait().unwrap().code(), Some(5), "{screen}");
                assert_eq!(screen.contains("bundle of acme/tool@1.0.0 ["), expected, "{options} {size}: {screen:?}");
                assert_eq!(screen.contains("/3.00 MiB "), expected, "{options} {size}: {screen:?}");
            });
        }
    });
}
