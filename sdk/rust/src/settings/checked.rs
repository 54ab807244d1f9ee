//! Settings with a rule that a policy's author writes.

use std::borrow::Cow;

use crate::json::Json;
use crate::settings::Settings;
use crate::settings::shape::Rule;
use crate::settings::shape::Shape;

/// A value that is written as a value of another type, and has a rule of its own.
///
/// The schema and the check are in one place, so that they can agree. Prefer rules that JSON Schema can express:
/// otherwise the schema allows values that the check refuses.
///
/// ```
/// use smcp_policy_sdk::settings::CheckedSetting;
///
/// /// The name of a team.
/// struct Team(String);
///
/// impl CheckedSetting for Team {
///     type Written = String;
///     const KEYWORDS: &'static str = r#""pattern":"^team-[a-z]+$""#;
///
///     fn check(written: String) -> Result<Self, std::borrow::Cow<'static, str>> {
///         let is_team = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
///         match written.strip_prefix("team-") {
///             Some(name) if is_team(name) => Ok(Self(written)),
///             // The reader sees: found the text `red`, allowed is `team-` and a name in small letters
///             _ => Err("`team-` and a name in small letters".into()),
///         }
///     }
/// }
/// ```
pub trait CheckedSetting: Sized {
    /// The type that it is written as: a `String`, a number, or a type that derives `Settings`.
    type Written: Settings;

    /// The rule as members of a JSON Schema, without braces; empty when none can express it. They must not refuse
    /// `null`:
    /// `pattern`, `multipleOf` and `minProperties` don't.
    const KEYWORDS: &'static str;

    /// Makes the value.
    ///
    /// # Errors
    /// The allowed values, as the end of the sentence "found …, allowed is …".
    fn check(written: Self::Written) -> Result<Self, Cow<'static, str>>;
}

impl<T: CheckedSetting> Settings for T {
    const SHAPE: Shape = T::Written::SHAPE.with_rule(Rule { keywords: T::KEYWORDS, check: refuse::<T> });

    fn read(json: &Json<'_>) -> Option<Self> {
        T::check(T::Written::read(json)?).ok()
    }
}

/// Checks a value of the right kind, which can always be read.
fn refuse<T: CheckedSetting>(json: &Json<'_>) -> Result<(), Cow<'static, str>> {
    T::Written::read(json).map_or(Ok(()), |written| T::check(written).map(|_| ()))
}
