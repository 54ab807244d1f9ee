//! One process: started, waited for, and what it has used.

#![expect(unsafe_code, reason = "the standard library doesn't say what a process has used; `wait4` does")]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::io::Read as _;
use std::mem::MaybeUninit;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Instant;

use crate::Result;

/// How a process is started: no other variables than these.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
}

/// What one process has used, with those that it has waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// From before the start to what was waited for, ms.
    pub(crate) wall: f64,
    /// User and system time, ms.
    pub(crate) cpu: f64,
    /// Page faults without input or output.
    pub(crate) faults: f64,
    /// Voluntary and other switches of context.
    pub(crate) switches: f64,
}

impl Call {
    pub(crate) fn new(program: &Path, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { program: program.to_owned(), arguments, environment: BTreeMap::new() }
    }

    pub(crate) fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    pub(crate) fn set(mut self, variable: &str, value: impl Into<String>) -> Self {
        self.environment.insert(variable.to_owned(), value.into());
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(&self.environment).stderr(Stdio::null());
        command
    }

    /// Runs it to its end and returns what it wrote; an error when it ends in another way than with one of these codes.
    pub(crate) fn output(&self, codes: &[i32]) -> Result<String> {
        let output = self.command().stdin(Stdio::null()).stderr(Stdio::piped()).output();
        let output = output.map_err(|error| self.failed(&error.to_string()))?;
        let text = String::from_utf8(output.stdout)?;
        if !output.status.code().is_some_and(|code| codes.contains(&code)) {
            let told = format!("{}: {text}{}", output.status, String::from_utf8_lossy(&output.stderr));
            return Err(self.failed(&told).into());
        }
        Ok(text)
    }

    /// Measures it from its start to its end; it has to succeed.
    pub(crate) fn whole(&self) -> Result<Usage> {
        let start = Instant::now();
        let child = self.command().stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let (status, used) = wait(&child)?;
        let wall = milliseconds(start);
        self.successful(status)?;
        Ok(Usage { wall, ..used })
    }

    /// Measures it from its start to the first byte that it writes, and what it uses to its end; it has to succeed.
    pub(crate) fn first_byte(&self) -> Result<Usage> {
        let (usage, ()) = self.until_first_byte(|_| Ok(()))?;
        Ok(usage)
    }

    /// Runs it until it has written its first byte, and then this; then its input ends.
    pub(crate) fn until_first_byte<T>(&self, then: impl Fn(u32) -> Result<T>) -> Result<(Usage, T)> {
        let start = Instant::now();
        let mut child = self.command().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take();
        let mut output = child.stdout.take().ok_or("no output")?;
        let ready = output.read_exact(&mut [0]);
        let wall = milliseconds(start);
        let found = then(child.id());
        drop(input);
        io::copy(&mut output, &mut io::sink())?;
        let (status, used) = wait(&child)?;
        self.successful(status)?;
        ready.map_err(|_| self.failed("it has written nothing"))?;
        Ok((Usage { wall, ..used }, found?))
    }

    fn successful(&self, status: i32) -> Result<()> {
        if status == 0 { Ok(()) } else { Err(self.failed(&format!("wait status {status:#x}")).into()) }
    }

    fn failed(&self, why: &str) -> String {
        format!("`{} {}` failed: {why}", self.program.display(), self.arguments.join(" "))
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// Waits for the end of a process of ours.
fn wait(child: &Child) -> Result<(i32, Usage)> {
    let process = libc::pid_t::try_from(child.id())?;
    let (mut status, mut used) = (0, MaybeUninit::<libc::rusage>::zeroed());
    loop {
        // SAFETY: both pointers are to memory of ours that has room for what is written.
        if unsafe { libc::wait4(process, &raw mut status, 0, used.as_mut_ptr()) } == process {
            break;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error.into());
        }
    }
    // SAFETY: numbers, which were zero and are now what the system wrote.
    let used = unsafe { used.assume_init() };
    let time = |it: libc::timeval| it.tv_sec as f64 * 1e3 + it.tv_usec as f64 / 1e3;
    let usage = Usage {
        wall: f64::NAN,
        cpu: time(used.ru_utime) + time(used.ru_stime),
        faults: used.ru_minflt as f64,
        switches: (used.ru_nvcsw + used.ru_nivcsw) as f64,
    };
    Ok((status, usage))
}

/// The memory of a running process that is in RAM, MiB.
pub(crate) fn resident(process: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}
