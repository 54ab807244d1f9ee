//! A value in force, and who chose it.

use serde::Serialize;
use serde::Serializer;

use crate::place::FilePlace;
use crate::place::Written;

/// Who chose a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingSource {
    /// Nobody: the key is absent.
    Default,
    /// Nobody, so it follows `policy.cert_mode`.
    CertMode,
    /// A file, here.
    File(FilePlace),
    /// The command line.
    Flag,
}

impl SettingSource {
    /// What people read.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::CertMode => "default, follows cert_mode",
            Self::File(_) => "file",
            Self::Flag => "flag",
        }
    }
}

/// One word; where in a file a value stands is not part of it.
impl Serialize for SettingSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Default => "default",
            Self::CertMode => "cert_mode",
            Self::File(_) => "file",
            Self::Flag => "flag",
        })
    }
}

/// A value in force, and who chose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value in force.
    pub value: T,
    /// Who chose it.
    pub source: SettingSource,
}

impl<T> Setting<T> {
    /// What a file says, or else the default.
    pub(super) fn or_default(chosen: Option<Written<T>>, default: T) -> Self {
        Self::or(chosen, default, SettingSource::Default)
    }

    /// What a file says, or else `otherwise` with its source.
    pub(super) fn or(chosen: Option<Written<T>>, otherwise: T, source: SettingSource) -> Self {
        chosen.map_or(Self { value: otherwise, source }, Self::file)
    }

    /// What a file says.
    pub(super) fn file(written: Written<T>) -> Self {
        Self { value: written.value, source: SettingSource::File(written.place) }
    }

    /// What the command line says.
    pub(super) const fn flag(value: T) -> Self {
        Self { value, source: SettingSource::Flag }
    }
}
