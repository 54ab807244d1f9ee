//! Notices about a valid configuration.

use std::fmt;
use std::path::PathBuf;

use smcp_model::day::Day;
use smcp_model::exception::PackageScope;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// A notice for standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigNotice {
    /// The file has keys of other MCP Hub tools.
    ForeignKeys {
        /// The file.
        file: PathBuf,
        /// The keys that were skipped.
        keys: Vec<&'static str>,
    },
    /// The user's file says where the audit log is written, but a system layer decides that.
    AuditLogIgnored {
        /// The user's file.
        file: PathBuf,
    },
    /// Exceptions of one layer have ended and are ignored.
    ExceptionEnded {
        /// The place of the first, `FILE:LINE`.
        at: SafeText,
        /// The packages that it is for.
        package: PackageScope,
        /// Its last day.
        until: Day,
        /// How many others have ended.
        more: usize,
    },
    /// The policies of the folder beside a named file belong to that file's layer.
    PoliciesBeside {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder of policies has other files in it.
    UnreadPolicies {
        /// The folder.
        folder: PathBuf,
        /// The names of the files.
        names: Vec<String>,
    },
    /// There is no configuration at all.
    Unconfigured,
    /// There is none where smcp looks, but an older tool's file exists.
    LegacyFile {
        /// The older tool's file, which is not read.
        file: PathBuf,
    },
}

impl fmt::Display for ConfigNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForeignKeys { file, keys } => {
                let (file, keys) = (file.display(), keys.join(", "));
                write!(f, "{file}: skipped the keys of other MCP Hub tools: {keys}")
            }
            Self::AuditLogIgnored { file } => {
                write!(f, "{}: `audit_log` is ignored; where it is written is for the system layer to say", file.display())
            }
            Self::ExceptionEnded { at, package, until, more } => {
                write!(f, "{at}: the exception for `{package}` ended on {until} and is ignored")?;
                if *more > 0 {
                    write!(f, ", and {more} more")?;
                }
                f.write_str("; take it out, or have it approved again")
            }
            Self::PoliciesBeside { folder } => {
                write!(f, "{}: its policies are read too, because it is beside the file that was named", folder.display())
            }
            Self::UnreadPolicies { folder, names } => {
                let (folder, shown) = (folder.display(), names.iter().take(limits::NAMES_SHOWN));
                let shown: Vec<_> = shown.map(|name| SafeText::quoted_value(name).to_string()).collect();
                write!(f, "{folder}: not read, since only NAME.yaml and NAME.wasm are: {}", shown.join(", "))?;
                match names.len().saturating_sub(limits::NAMES_SHOWN) {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
            Self::Unconfigured => f.write_str(
                "no policy is configured, so every published package may run; `smcp config init` writes a file to restrict it",
            ),
            Self::LegacyFile { file } => {
                write!(f, "{} is not read; move its rules to ~/.mcp/config.yaml", file.display())
            }
        }
    }
}
