//! The source of a policy's component, and what its entry has to say beside it.

use std::time::Duration;

use crate::form::WrittenSource;
use crate::keys::custom;
use crate::place::WrittenValue;
use crate::problem::ProblemCode;
use crate::reader::ConfigReader;
use crate::reader::Fields;
use smcp_model::limits;

/// Notes what doesn't fit to the place of a component: one elsewhere says which bytes are meant, and only for one elsewhere
/// an answer has an age.
pub(super) fn check_source(
    reader: &mut ConfigReader<'_>,
    entry: &Fields<'_>,
    source: Option<&WrittenValue<WrittenSource>>,
    refresh: Option<&WrittenValue<Duration>>,
    max_age: Option<&WrittenValue<Duration>>,
) {
    match source.map(|written| &written.value) {
        None => {}
        Some(WrittenSource::File(_)) => {
            for (key, written) in [(&custom::REFRESH, refresh), (&custom::MAX_AGE, max_age)] {
                if written.is_some() {
                    let message = format!("`{}` is only for a `source` elsewhere, and this one is a file", key.name);
                    let allowed = "an oci:// or https:// source, or no such key".to_owned();
                    reader.note(ProblemCode::Conflict, entry.trail_of(key), message, allowed);
                }
            }
        }
        Some(WrittenSource::Remote(address)) => {
            let is_settled = address.digest().is_some() || entry.has(&custom::DIGEST) || entry.has(&custom::SIGNED_BY);
            if !is_settled {
                let message =
                    format!("nothing says which bytes of `{address}` are meant: whoever runs that server would");
                let allowed = "`digest:` with the component's digest, an oci:// source with @sha256: and that of its manifest \
                               (`smcp policy pull` prints both), or `signed_by:` with who must have signed it";
                reader.note(ProblemCode::MissingKey, entry.trail_of(&custom::SOURCE), message, allowed.to_owned());
            }
            let refresh_in_force = refresh.map_or(limits::oci::REFRESH_DEFAULT, |written| written.value);
            if max_age.is_some_and(|written| written.value < refresh_in_force) {
                let message = "`max_age` is shorter than `refresh`".to_owned();
                let allowed = "at least as long as `refresh`, which is 24h by default".to_owned();
                reader.note(ProblemCode::Conflict, entry.trail_of(&custom::MAX_AGE), message, allowed);
            }
        }
    }
}
