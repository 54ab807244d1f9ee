//! Values with a rule of their author's own.

use std::borrow::Cow;

use crate::json::Json;
use crate::settings::Settings;
use crate::settings::shape::Rule;
use crate::settings::shape::Shape;

/// A value that is written as another, and has a rule of its own beyond what that one holds.
///
/// Schema and check stand in one place, so that both can say the same. Where a rule can't be said in JSON Schema, the
/// schema promises more than the check holds: prefer rules that can.
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
    /// What it is written as: a `String`, a number, or a type that derives `Settings`.
    type Written: Settings;

    /// The rule as members of a JSON Schema, without braces; empty where none can say it. They have to be silent about
    /// `null`, as `pattern`, `multipleOf` and `minProperties` are.
    const KEYWORDS: &'static str;

    /// Makes the value.
    ///
    /// # Errors
    /// What is allowed, as the end of the sentence "found …, allowed is …".
    fn check(written: Self::Written) -> Result<Self, Cow<'static, str>>;
}

impl<T: CheckedSetting> Settings for T {
    const SHAPE: Shape = T::Written::SHAPE.with_rule(Rule { keywords: T::KEYWORDS, check: refuse::<T> });

    fn read(json: &Json<'_>) -> Option<Self> {
        T::check(T::Written::read(json)?).ok()
    }
}

/// Only the refusal. A value of the right kind can be read.
fn refuse<T: CheckedSetting>(json: &Json<'_>) -> Result<(), Cow<'static, str>> {
    T::Written::read(json).map_or(Ok(()), |written| T::check(written).map(|_| ()))
}
