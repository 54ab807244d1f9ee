//! A machine with an administrator, in a real `/etc/mcp`: a mount namespace, as root.

use std::process::Command;

use crate::bed::Invocation;
use crate::bed::Package;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::trust::behind;

/// A machine with an administrator: the bed's folder `etc` is its `/etc`.
pub(crate) struct Machine(pub(crate) TestBed);

impl Machine {
    /// `None` where this user can't make a mount namespace.
    pub(crate) fn new() -> Option<Self> {
        let possible = Command::new("unshare").args(["-m", "mount", "-t", "tmpfs", "none", "/etc"]).output();
        if !possible.is_ok_and(|output| output.status.success()) {
            let root = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0;
            assert!(!root || std::env::var_os("CI").is_none(), "root in CI has mount namespaces");
            return None;
        }
        let bed = TestBed::new();
        bed.configure("");
        bed.publish(
            &Package::shell("acme/tool@1.0.0", "touch \"$HOME/proof/started\"; echo runs").facts("verified", 2, 85),
        );
        std::fs::create_dir(bed.path("etc")).unwrap();
        Some(Self(bed))
    }

    /// Writes `/etc/mcp/config.yaml`: the bed's registry, then `text`.
    pub(crate) fn administer(&self, text: &str) {
        let registry = self.0.path("registry");
        self.0.write("etc/mcp/config.yaml", format!("registry_url: {}\n{text}", registry.display()));
    }

    pub(crate) fn run(&self, line: &str) -> Ran {
        self.run_with(line, &[])
    }

    pub(crate) fn run_with(&self, line: &str, variables: &[(&str, &str)]) -> Ran {
        self.run_on(line, variables, "")
    }

    /// Runs with `input` on standard input.
    pub(crate) fn run_on(&self, line: &str, variables: &[(&str, &str)], input: &str) -> Ran {
        self.invocation(line, variables).input(input).run()
    }

    /// The program on this machine, not started yet.
    pub(crate) fn invocation<'b>(&'b self, line: &str, variables: &[(&str, &str)]) -> Invocation<'b> {
        let bed = &self.0;
        let mut invocation = behind("mount --bind etc /etc && exec \"$0\" \"$@\"", bed.smcp(line));
        let inner: Vec<_> = invocation.command.get_args().map(ToOwned::to_owned).collect();
        let path = std::env::var_os("PATH").unwrap();
        let mut command = Command::new("unshare");
        command.args(["-m", "sh"]).args(inner).current_dir(bed.path("")).env_clear();
        command.env("HOME", bed.path("")).env("PATH", path).envs(variables.iter().copied());
        invocation.command = command;
        invocation
    }
}
