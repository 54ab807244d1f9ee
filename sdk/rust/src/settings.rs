//! A policy's settings: their JSON Schema, their check, and their values.
//!
//! `#[derive(Settings)]` makes a [`Shape`] of a type. `check.rs` checks a document against it and `schema.rs` writes it
//! as JSON Schema, so the two can't disagree. A document that passed the check is then read into the type, which can't
//! fail.

mod check;
mod checked;
mod message;
mod schema;
mod shape;
mod values;

use crate::json::Json;

pub use checked::CheckedSetting;
pub use shape::Choice;
pub use shape::Field;
pub use shape::Shape;

/// A value that settings can hold: `bool`, whole numbers, `String`, `Option`, `Vec`, `BTreeMap`, and the types that
/// derive it. See [the derive](derive@crate::Settings) for the attributes of each, and [`CheckedSetting`] for values
/// with a rule of their own.
pub trait Settings: Sized {
    /// The values that are allowed.
    const SHAPE: Shape;

    /// Reads a value that has been checked against the shape.
    #[doc(hidden)]
    fn read(json: &Json<'_>) -> Option<Self>;
}

/// One thing wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsProblem {
    /// A JSON pointer (RFC 6901) into the settings; empty for the whole. For a missing key it leads to the object that
    /// lacks it.
    pub path: String,
    /// The value found and the values allowed.
    pub message: String,
}

/// Checks and reads settings; returns every problem.
pub(crate) fn decode<T: Settings>(text: &str) -> Result<T, Vec<SettingsProblem>> {
    let json = check::document(text, &T::SHAPE)?;
    T::read(&json).ok_or_else(|| {
        let message = "this can't be read, which is a mistake in the policy".to_owned();
        vec![SettingsProblem { path: String::new(), message }]
    })
}

/// The JSON Schema of a policy's settings.
pub(crate) fn schema<T: Settings>() -> String {
    schema::document(&T::SHAPE)
}

/// The defaults that break their own rules.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn wrong_defaults<T: Settings>() -> Vec<SettingsProblem> {
    check::defaults(&T::SHAPE)
}

/// Reads the value of a key. An absent key has its default by now.
#[doc(hidden)]
pub fn field<T: Settings>(json: &Json<'_>, name: &str) -> Option<T> {
    T::read(json.get(name)?)
}

/// The position of a text among the choices of a shape.
#[doc(hidden)]
pub fn choice<T: Settings>(json: &Json<'_>) -> Option<usize> {
    T::SHAPE.position(json.as_text()?)
}

#[cfg(test)]
mod tests;
