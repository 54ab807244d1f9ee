//! What a server will be held to, before it is decided whether it may start.

use crate::asked::AskedPath;
use crate::kernel::Kernel;
use smcp_model::confinement::Confinement;
use smcp_model::confinement::Gap;
use smcp_model::manifest::Permissions;

/// The version of Landlock that keeps files from being emptied.
const TRUNCATION: u32 = 3;
/// The version that keeps signals, and sockets without a path, inside.
const SCOPES: u32 = 6;
/// The version that closes sockets by their paths.
const SOCKETS: u32 = 9;
/// The entry of a list that stands for everything.
pub(crate) const EVERYTHING: &str = "*";

/// Whether a manifest asks for single hosts, and not for all.
pub fn lists_hosts(permissions: &Permissions) -> bool {
    !permissions.network.is_empty() && !permissions.network.iter().any(|host| host == EVERYTHING)
}

/// Whether a server with these permissions is held to the hosts that it names: it has a network of its own.
pub fn holds_hosts(kernel: Kernel, permissions: Option<&Permissions>) -> bool {
    kernel.namespaces && permissions.is_some_and(lists_hosts)
}

/// Says how far a server with these permissions is confined on this kernel; `None` stands for a manifest without a block
/// of permissions.
pub fn foresee(kernel: Kernel, permissions: Option<&Permissions>) -> Confinement {
    if !kernel.linux {
        return Confinement::none(vec![Gap::System]);
    }
    let Some(permissions) = permissions else {
        let gaps = if kernel.seccomp { vec![Gap::Permissions] } else { vec![Gap::Permissions, Gap::Seccomp] };
        return if kernel.seccomp { Confinement::with(gaps) } else { Confinement::none(gaps) };
    };
    let mut gaps = Vec::new();
    match kernel.landlock {
        0 => gaps.push(Gap::Landlock),
        version => {
            gaps.extend((version < TRUNCATION).then_some(Gap::Truncation));
            gaps.extend((version < SCOPES).then_some(Gap::Signals));
        }
    }
    gaps.extend((!kernel.seccomp).then_some(Gap::Seccomp));
    if kernel.landlock == 0 && !kernel.seccomp {
        return Confinement::none(gaps);
    }
    if !permissions.network.is_empty() && !holds_hosts(kernel, Some(permissions)) {
        // The filter that refuses sockets is not there; those of the network are asked for.
        gaps.extend((kernel.landlock < SOCKETS).then_some(Gap::Sockets));
        gaps.extend(lists_hosts(permissions).then_some(Gap::Hosts));
    }
    let paths = permissions.filesystem_read.iter().chain(&permissions.filesystem_write);
    gaps.extend(paths.into_iter().any(|path| AskedPath::of(path, None).pattern).then_some(Gap::Patterns));
    Confinement::with(gaps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use smcp_model::confinement::ConfinementState;

    const NEW: Kernel = Kernel { linux: true, landlock: 9, seccomp: true, namespaces: true };

    fn permissions(network: &[&str], read: &[&str]) -> Permissions {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Permissions { network: owned(network), filesystem_read: owned(read), ..Permissions::default() }
    }

    #[test]
    fn what_a_kernel_lacks_and_what_a_manifest_asks_for_is_said() {
        let nothing = permissions(&[], &[]);
        let everywhere = permissions(&["*"], &[]);
        let hosts = permissions(&["api.example.com"], &[]);
        let patterns = permissions(&[], &["/srv/*/docs"]);
        let kernel = |landlock, seccomp| Kernel { linux: true, landlock, seccomp, namespaces: false };
        let cases: [(Kernel, Option<&Permissions>, ConfinementState, &[Gap]); 17] = [
            (NEW, Some(&nothing), ConfinementState::Full, &[]),
            (kernel(6, true), Some(&nothing), ConfinementState::Full, &[]),
            (kernel(5, true), Some(&nothing), ConfinementState::Partial, &[Gap::Signals]),
            (kernel(2, true), Some(&nothing), ConfinementState::Partial, &[Gap::Truncation, Gap::Signals]),
            (kernel(0, true), Some(&nothing), ConfinementState::Partial, &[Gap::Landlock]),
            (kernel(9, false), Some(&nothing), ConfinementState::Partial, &[Gap::Seccomp]),
            (kernel(0, false), Some(&nothing), ConfinementState::None, &[Gap::Landlock, Gap::Seccomp]),
            (NEW, Some(&everywhere), ConfinementState::Full, &[]),
            (kernel(8, true), Some(&everywhere), ConfinementState::Partial, &[Gap::Sockets]),
            (NEW, Some(&hosts), ConfinementState::Full, &[]),
            (Kernel { landlock: 7, ..NEW }, Some(&hosts), ConfinementState::Full, &[]),
            (Kernel { landlock: 7, ..NEW }, Some(&everywhere), ConfinementState::Partial, &[Gap::Sockets]),
            (kernel(9, true), Some(&hosts), ConfinementState::Partial, &[Gap::Hosts]),
            (NEW, Some(&patterns), ConfinementState::Partial, &[Gap::Patterns]),
            (NEW, None, ConfinementState::Partial, &[Gap::Permissions]),
            (kernel(9, false), None, ConfinementState::None, &[Gap::Permissions, Gap::Seccomp]),
            (
                Kernel { linux: false, landlock: 0, seccomp: false, namespaces: false },
                Some(&nothing),
                ConfinementState::None,
                &[Gap::System],
            ),
        ];
        for (kernel, asked, state, missing) in cases {
            let found = foresee(kernel, asked);
            assert_eq!((found.state, found.missing.as_slice()), (state, missing), "{kernel:?} {asked:?}");
        }
    }

    /// The table for people says the same.
    #[test]
    fn the_documents_say_what_each_kernel_holds() {
        let page = include_str!("../../../docs/confinement.md");
        let rows = page.lines().skip_while(|line| !line.starts_with("| Linux |")).skip(2);
        let rows: Vec<_> = rows.take_while(|line| line.starts_with('|')).collect();
        assert_eq!(rows.len(), 8);
        for row in rows {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let [_, _, landlock, cells @ .., _] = cells.as_slice() else { panic!("{row}") };
            let kernel = Kernel { landlock: landlock.parse().unwrap(), ..NEW };
            for (asked, cell) in [&[][..], &["api.example.com"], &["*"]].into_iter().zip(cells) {
                let Confinement { state, missing } = foresee(kernel, Some(&permissions(asked, &[])));
                let missing: Vec<_> = missing.iter().map(|gap| gap.as_str()).collect();
                let words = if missing.is_empty() { String::new() } else { format!(" ({})", missing.join(", ")) };
                assert_eq!(format!("{}{words}", state.as_str()), *cell, "{row}");
            }
        }
    }
}
