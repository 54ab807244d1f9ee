//! Makes the locks of a server, once its program is known.
//!
//! Before it `command` has found the program; after it `spawn` starts it behind the locks.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::path::PathBuf;

use crate::command::Bundle;
use crate::environment::ServerEnvironment;
use crate::error::LaunchError;
use crate::observing;
use crate::observing::Observing;
use crate::observing::SparePorts;
use crate::script::Finder;
use crate::script::Followed;
use crate::script::follow;
use crate::search::on_path;
use smcp_confine::DraftGround;
use smcp_confine::Grants;
use smcp_confine::Kernel;
use smcp_confine::Locks;
use smcp_confine::Ports;
use smcp_confine::Surroundings;
use smcp_confine::WayOut;
use smcp_confine::holds_hosts;
use smcp_model::limits;
use smcp_model::manifest::Manifest;
use smcp_model::manifest::Permissions;
use smcp_model::text::SafeText;
use smcp_outbound::Outbound;
use smcp_outbound::Serving;
use smcp_outbound::Sockets;

/// What confining a server takes, beside its manifest.
#[derive(Debug)]
pub struct Confining {
    /// What the kernel has for it.
    pub kernel: Kernel,
    /// The machine, and the server's own folders.
    pub surroundings: Surroundings,
    /// What leads out of the server's own network; `None` for a server that is not held to hosts.
    pub outbound: Option<Outbound>,
    /// Where what the server uses is noted; `None` where nobody wants to know.
    pub observing: Option<Observing>,
}

/// Programs that servers of many kinds are written for, and that their scripts start.
const RUNTIMES: [&str; 5] = ["node", "python3", "python", "deno", "bun"];

/// A program behind locks: what is started, and the arguments that come before those of the manifest.
#[derive(Debug)]
pub(crate) struct Confined {
    pub(crate) locks: Locks,
    /// The program that is started in place of the manifest's, when that is a script for `env`.
    pub(crate) direct: Option<(PathBuf, Vec<OsString>)>,
    /// What the sockets of the server's own network come by.
    pub(crate) way_out: Option<WayOut>,
    /// How ports are opened while the server runs; `None` for a server that is not observed.
    pub(crate) spare_ports: Option<SparePorts>,
}

/// What is said of a server with a stream that would be a way to any host.
const LED_ELSEWHERE: &str = "one of its standard streams is a socket that it could connect to other places, and it may not \
     reach every host: start smcp with pipes, for example as `cat | smcp run … | cat`";

/// Makes the locks of the server that `program` is, and that starts in `directory`. `led_elsewhere` says whether it
/// gets a stream that it could lead to other places.
pub(crate) fn confine(
    confining: &Confining,
    manifest: &Manifest,
    bundle: Bundle<'_>,
    (program, directory, led_elsewhere): (&Path, &Path, bool),
    (environment, finder): (&ServerEnvironment, Finder<'_>),
) -> Result<Confined, LaunchError> {
    let command = || SafeText::quoted(&manifest.entrypoint.command);
    let followed = follow(program, directory, finder);
    let mut direct = None;
    let mut grants = Grants::default();
    let planned = |permissions: &Permissions| {
        let programs = programs(permissions, program, &followed, bundle, (environment, finder));
        let grants = Grants::of(permissions, &programs, environment.search_path(), &confining.surroundings);
        grants.and_programs(named_by_package(program, &followed, bundle), &confining.surroundings)
    };
    if let Some(observing) = &confining.observing {
        // What stands before the server's own program is not what it uses.
        direct.clone_from(&followed.direct);
        let nothing = |subprocess| planned(&Permissions { subprocess, ..Permissions::default() });
        let asked = manifest.permissions.as_ref();
        let _ = observing.ground.set(DraftGround {
            alone: nothing(false),
            with_programs: nothing(true),
            held: asked.filter(|_| confining.kernel.landlock > 0).map(planned),
            own_network: confining.outbound.is_some(),
            keys: smcp_confine::keys(&confining.surroundings),
            kept: smcp_confine::kept(&confining.surroundings),
            bundle: bundle.root.to_path_buf(),
            variables: asked.map(|asked| asked.environment.clone()).unwrap_or_default(),
        });
    }
    let unconfined = |cause: io::Error| LaunchError::Unconfined { command: command(), cause };
    if let Some(permissions) = &manifest.permissions {
        let kernel = confining.kernel;
        let without_network = kernel.seccomp && permissions.network.is_empty();
        if led_elsewhere && (without_network || holds_hosts(kernel, Some(permissions))) {
            return Err(unconfined(io::Error::other(LED_ELSEWHERE)));
        }
        if !permissions.subprocess && confining.kernel.seccomp {
            refuse_wrapper(&followed, bundle, command)?;
            direct.clone_from(&followed.direct);
        }
        grants = planned(permissions);
    }
    tracing::debug!(?grants, "what the server may reach");
    let mut locks = Locks::make(confining.kernel, manifest, &grants, bundle.dir.as_fd()).map_err(unconfined)?;
    let ports = confining.outbound.as_ref().map(|outbound| Ports {
        hosts: outbound.hosts.ports(),
        proxy: outbound.hosts.proxy_port(),
        spare: if confining.observing.is_some() { limits::observe::PORTS } else { 0 },
    });
    let way_out = ports.map(|ports| locks.with_network(&ports)).transpose().map_err(unconfined)?;
    let view = confining.surroundings.view;
    let mut watch = |observing| observing::watch(locks.observe()?, observing, view);
    let spare_ports = confining.observing.as_ref().map(&mut watch).transpose().map_err(unconfined)?;
    Ok(Confined { locks, direct, way_out, spare_ports })
}

/// Serves the network of a server that has begun.
pub(crate) fn lead_out(way_out: WayOut, outbound: Outbound, ports: Option<SparePorts>) -> io::Result<Serving> {
    let smcp_confine::NetworkSockets { names, proxy, hosts, spare } = way_out.receive()?;
    let later = ports.map(|ports| {
        // Who watches may have ended with the server.
        drop(ports.spare.send(spare));
        ports.later
    });
    outbound.serve(Sockets { names, proxy, hosts, later })
}

/// Refuses a program outside of the bundle that a shell reads: what it is there for is to start another one.
fn refuse_wrapper(followed: &Followed, bundle: Bundle<'_>, command: impl Fn() -> SafeText) -> Result<(), LaunchError> {
    match &followed.wrapper {
        Some((path, shell)) if !path.starts_with(bundle.root) => Err(LaunchError::Wrapper {
            command: command(),
            path: path.clone(),
            interpreter: SafeText::quoted(&shell.to_string_lossy()),
        }),
        // A script of the bundle runs as far as the shell alone goes.
        Some(_) | None => Ok(()),
    }
}

/// The interpreters that the package itself names. Where they are installed is its choice, and so could be anywhere: it could be
/// where an earlier version has left a program.
fn named_by_package<'f>(program: &Path, followed: &'f Followed, bundle: Bundle<'_>) -> &'f [PathBuf] {
    let named = if program.starts_with(bundle.root) { followed.named } else { 0 };
    followed.interpreters.get(..named).unwrap_or_default()
}

/// The programs whose installations the server needs: its own, their interpreters, and, where it may start others, those
/// that are usual.
fn programs(
    permissions: &Permissions,
    program: &Path,
    followed: &Followed,
    bundle: Bundle<'_>,
    (environment, finder): (&ServerEnvironment, Finder<'_>),
) -> Vec<PathBuf> {
    let by_package = named_by_package(program, followed, bundle).len();
    let own = std::iter::once(program).chain(followed.interpreters.iter().skip(by_package).map(PathBuf::as_path));
    let mut programs: Vec<_> = own.filter(|path| !path.starts_with(bundle.root)).map(Path::to_path_buf).collect();
    if permissions.subprocess {
        let found = |name: &&str| on_path(name, environment.search_path(), finder.is_program).ok();
        programs.extend(RUNTIMES.iter().filter_map(found));
    }
    programs
}
