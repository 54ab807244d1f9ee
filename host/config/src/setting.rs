//! A value in force, and its source.

use serde::Serialize;
use serde::Serializer;

use crate::place::FilePlace;
use crate::place::WrittenValue;
use smcp_model::policy::LayerName;

/// The source of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingSource {
    /// The default, because the key is absent.
    Default,
    /// The value of `policy.cert_mode`, because the key is absent.
    CertMode,
    /// A file, at this place.
    File(FilePlace),
    /// The command line.
    Flag,
}

impl SettingSource {
    /// Returns the place in a file.
    pub const fn place(&self) -> Option<&FilePlace> {
        match self {
            Self::File(place) => Some(place),
            Self::Default | Self::CertMode | Self::Flag => None,
        }
    }

    /// Returns the words for people.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::CertMode => "default, follows cert_mode",
            Self::File(_) => "file",
            Self::Flag => "flag",
        }
    }
}

/// Writes one word, without the place in a file.
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

/// A value in force, and its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value in force.
    pub value: T,
    /// The source of the value.
    pub source: SettingSource,
    /// What other layers say, which does not count.
    pub overruled: Vec<(LayerName, WrittenValue<T>)>,
}

impl<T> Setting<T> {
    /// Returns the value of a file, or else the default.
    pub(super) fn or_default(chosen: Option<WrittenValue<T>>, default: T) -> Self {
        Self::or(chosen, default, SettingSource::Default)
    }

    /// Returns the value of a file, or else `otherwise` with its source.
    pub(super) fn or(chosen: Option<WrittenValue<T>>, otherwise: T, source: SettingSource) -> Self {
        chosen.map_or(Self { value: otherwise, source, overruled: Vec::new() }, Self::file)
    }

    /// Returns the value of a file.
    pub(super) fn file(written: WrittenValue<T>) -> Self {
        Self { value: written.value, source: SettingSource::File(written.place), overruled: Vec::new() }
    }

    /// Returns the value of the command line.
    pub(super) const fn flag(value: T) -> Self {
        Self { value, source: SettingSource::Flag, overruled: Vec::new() }
    }

    /// Returns the same with what other layers say.
    pub(super) fn over(self, overruled: Vec<(LayerName, WrittenValue<T>)>) -> Self {
        Self { overruled, ..self }
    }
}
