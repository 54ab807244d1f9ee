//! A value and who chose it.

/// Who chose a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Nobody: the key is absent.
    Default,
    /// Nobody, so it follows `policy.cert_mode`.
    CertMode,
    /// The file.
    File,
    /// The command line.
    Flag,
}

impl Source {
    /// What people read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::CertMode => "default, follows cert_mode",
            Self::File => "file",
            Self::Flag => "flag",
        }
    }
}

/// A value and who chose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value in force.
    pub value: T,
    /// Who chose it.
    pub source: Source,
}

impl<T> Setting<T> {
    /// What the file says, or else the default.
    pub(super) fn or_default(chosen: Option<T>, default: T) -> Self {
        Self::or(chosen, default, Source::Default)
    }

    /// What the file says, or else `otherwise` with its source.
    pub(super) fn or(chosen: Option<T>, otherwise: T, source: Source) -> Self {
        match chosen {
            Some(value) => Self { value, source: Source::File },
            None => Self { value: otherwise, source },
        }
    }

    /// What the command line says.
    pub(super) const fn flag(value: T) -> Self {
        Self { value, source: Source::Flag }
    }
}
