//! Checks that only the caller and root can write the files that smcp uses.
//!
//! Spec section 1 has the rule, and the conditions for a group that may write.

use std::fmt;
use std::os::unix::fs::MetadataExt as _;

use cap_std::fs::MetadataExt as _;

const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;

/// The owner, group and mode of a file or folder; best read from an open descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ownership {
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its mode: the twelve bits of `chmod`, perhaps with the file type above them.
    pub mode: u32,
}

impl From<&cap_std::fs::Metadata> for Ownership {
    fn from(metadata: &cap_std::fs::Metadata) -> Self {
        Self { uid: metadata.uid(), gid: metadata.gid(), mode: metadata.mode() }
    }
}

impl From<&std::fs::Metadata> for Ownership {
    fn from(metadata: &std::fs::Metadata) -> Self {
        Self { uid: metadata.uid(), gid: metadata.gid(), mode: metadata.mode() }
    }
}

/// Those who may own and write a file (spec section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owners {
    /// Root alone, with no group: the administrator's files.
    Root,
    /// The user who runs smcp, perhaps through a group of his own, and root.
    CallerOrRoot,
}

/// The user who runs smcp.
#[derive(Clone, Copy)]
pub struct Caller {
    uid: u32,
    private_group: fn() -> Option<u32>,
}

impl Caller {
    /// The caller with the effective user id `uid`. `private_group` is called only for a file or folder that a group
    /// may write to: it returns the group that has no member but the caller, see [`private_group`].
    pub const fn new(uid: u32, private_group: fn() -> Option<u32>) -> Self {
        Self { uid, private_group }
    }

    /// The caller by whom files with these owners are judged: for [`Owners::Root`] that is root, whoever runs smcp.
    #[must_use]
    pub const fn among(self, owners: Owners) -> Self {
        match owners {
            Owners::Root => Self::new(0, || None),
            Owners::CallerOrRoot => self,
        }
    }

    /// The effective user id.
    pub const fn uid(&self) -> u32 {
        self.uid
    }

    /// Checks that a file or folder belongs to the caller or to root, and that no other user may write to it. A sticky
    /// bit does not help: it keeps others from renaming, not from adding.
    ///
    /// # Errors
    /// [`Untrusted`] with the wrong owner or mode.
    pub fn check(&self, found: Ownership) -> Result<(), Untrusted> {
        if found.uid != self.uid && found.uid != 0 {
            return Err(Untrusted::Foreign { uid: found.uid });
        }
        if found.mode & OTHERS_WRITE != 0 {
            return Err(Untrusted::OthersWrite { mode: found.mode & 0o7777 });
        }
        if found.mode & GROUP_WRITES != 0 && (self.private_group)() != Some(found.gid) {
            return Err(Untrusted::GroupWrites { mode: found.mode & 0o7777, gid: found.gid });
        }
        Ok(())
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("uid", &self.uid).finish_non_exhaustive()
    }
}

/// Another user could have changed it, or can change it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// It belongs to a user who may not own it: neither to root nor, where that is allowed, to the caller.
    #[error("it belongs to another user (uid {uid})")]
    Foreign {
        /// Its owner.
        uid: u32,
    },
    /// Every user may write to it.
    #[error("others may write to it (mode {mode:04o})")]
    OthersWrite {
        /// The twelve bits of `chmod`.
        mode: u32,
    },
    /// A group may write to it that has other members, or whose members can't be read.
    #[error("its group may write to it (mode {mode:04o}, gid {gid})")]
    GroupWrites {
        /// The twelve bits of `chmod`.
        mode: u32,
        /// The group.
        gid: u32,
    },
}

impl Untrusted {
    /// The command that repairs it, without the path.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Foreign { .. } => "chown",
            Self::OthersWrite { .. } => "chmod go-w",
            Self::GroupWrites { .. } => "chmod g-w",
        }
    }
}

/// Returns the group that only the user `uid` can be in, by the text of `/etc/passwd` and `/etc/group`: the user's
/// primary group, of the same name, with no other member, and not the primary group of another user. `None` also when
/// a line refers to entries from elsewhere (`+`, of the compat form), which can't be known.
pub fn private_group(uid: u32, passwd: &str, group: &str) -> Option<u32> {
    if passwd.lines().chain(group.lines()).any(|line| line.starts_with('+')) {
        return None;
    }
    // A line that can't be parsed may be about any user.
    let users: Vec<_> = entries(passwd).map(user).collect::<Option<_>>()?;
    let all: Vec<_> = entries(group).map(members).collect::<Option<_>>()?;
    let mut own = users.iter().filter(|user| user.uid == uid);
    let (Some(own), None) = (own.next(), own.next()) else { return None };
    let is_shared = users.iter().any(|user| user.gid == own.gid && user.uid != own.uid);
    let mut groups = all.into_iter().filter(|(_, gid, _)| *gid == own.gid);
    let (Some((name, gid, members)), None) = (groups.next(), groups.next()) else { return None };
    let has_others = members.split(',').map(str::trim).any(|member| !member.is_empty() && member != own.name);
    (!is_shared && name == own.name && !has_others).then_some(gid)
}

/// Returns the lines that are neither blank nor comments.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
}

struct User<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
}

/// `name:password:uid:gid:…`
fn user(line: &str) -> Option<User<'_>> {
    let mut fields = line.split(':');
    let (name, _password) = (fields.next()?, fields.next()?);
    Some(User { name, uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
}

/// `name:password:gid:member,member`
fn members(line: &str) -> Option<(&str, u32, &str)> {
    let mut fields = line.split(':');
    let (name, _password) = (fields.next()?, fields.next()?);
    Some((name, fields.next()?.parse().ok()?, fields.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/sh\n\
                          bob:x:1001:100::/home/bob:/bin/sh\neve:x:1002:1002::/:/bin/sh\nmal:x:1003:1002::/:/bin/sh\n";
    const GROUP: &str = "root:x:0:\nann:x:1000:\nusers:x:100:\neve:x:1002:\n";

    #[test]
    fn a_group_is_private_when_no_other_user_can_be_in_it() {
        let cases = [
            ("his own", 1000, PASSWD, GROUP, Some(1000)),
            ("root's", 0, PASSWD, GROUP, Some(0)),
            ("listed in it himself", 1000, PASSWD, "ann:x:1000:ann\n", Some(1000)),
            ("another name", 1001, PASSWD, GROUP, None),
            ("another user's primary group too", 1002, PASSWD, GROUP, None),
            ("another member", 1000, PASSWD, "ann:x:1000:ann,bob\n", None),
            ("a second entry of the same number", 1000, PASSWD, "ann:x:1000:\nstaff:x:1000:bob\n", None),
            ("no such user", 4242, PASSWD, GROUP, None),
            ("no such group", 1000, PASSWD, "", None),
            ("no files", 1000, "", "", None),
            ("two users of one number", 7, "a:x:7:7::/:\nb:x:7:7::/:\n", "a:x:7:\n", None),
            ("a user that is not understood", 7, "a:x:7:7::/:\nb:x:8: 7::/:\n", "a:x:7:\n", None),
            ("a group that is not understood", 7, "a:x:7:7::/:\n", "a:x:7:\nstaff:x: 7:b\n", None),
            ("another number of the same name", 7, "a:x:7:7::/:\na:x:8:7::/:\n", "a:x:7:\n", None),
            ("blank lines and comments", 7, "# users\n\na:x:7:7::/:\n", "\na:x:7:\n# end\n", Some(7)),
            ("users from elsewhere", 7, "a:x:7:7::/:\n+::::::\n", "a:x:7:\n", None),
            ("groups from elsewhere", 7, "a:x:7:7::/:\n", "a:x:7:\n+:::\n", None),
        ];
        for (case, uid, passwd, group, expected) in cases {
            assert_eq!(private_group(uid, passwd, group), expected, "{case}");
        }
    }

    #[test]
    fn only_the_caller_and_root_may_own_and_write() {
        let caller = Caller::new(1000, || Some(1000));
        let cases = [
            ((1000, 1000, 0o100_644), Ok(())),
            ((0, 0, 0o040_755), Ok(())),
            ((1000, 1000, 0o664), Ok(())),
            ((0, 1000, 0o664), Ok(())),
            ((1000, 100, 0o664), Err(Untrusted::GroupWrites { mode: 0o664, gid: 100 })),
            ((1000, 100, 0o2775), Err(Untrusted::GroupWrites { mode: 0o2775, gid: 100 })),
            ((1000, 1000, 0o646), Err(Untrusted::OthersWrite { mode: 0o646 })),
            ((0, 0, 0o041_777), Err(Untrusted::OthersWrite { mode: 0o1777 })),
            ((1001, 1000, 0o600), Err(Untrusted::Foreign { uid: 1001 })),
        ];
        for ((uid, gid, mode), expected) in cases {
            assert_eq!(caller.check(Ownership { uid, gid, mode }), expected, "{uid} {gid} {mode:o}");
        }
        for (uid, mode, is_right) in [(0, 0o644, true), (1000, 0o600, false), (0, 0o664, false), (0, 0o646, false)] {
            let found = caller.among(Owners::Root).check(Ownership { uid, gid: uid, mode });
            assert_eq!(found.is_ok(), is_right, "{uid} {mode:o}");
        }
        let unseen = Caller::new(1000, || None).check(Ownership { uid: 1000, gid: 1000, mode: 0o775 });
        assert_eq!(unseen.unwrap_err().remedy(), "chmod g-w");
    }
}
