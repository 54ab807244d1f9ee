//! One layer, one package: which statement counts, and whether it holds.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock;
use crate::sets::seen::packages::NewlySeen;
use crate::sets::seen::packages::SeenStatement;
use crate::statements::KnownStatement;
use crate::statements::SignedStatement;
use crate::statements::StatementProblem;
use smcp_config::StatementRule;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::statement::FactsStatement;
use smcp_model::statement::StatementTarget;
use smcp_model::text::SafeText;
use smcp_model::time;
use smcp_signature::LoadedRule;
use smcp_signature::Standing;
use smcp_signature::Vouched;

/// What a layer demands of the statements about a package, and what it has seen before.
pub(crate) struct StatementCase<'a> {
    pub(crate) signers: &'a LoadedRule,
    pub(crate) rule: &'a StatementRule,
    pub(crate) target: &'a StatementTarget,
    pub(crate) seen: Option<&'a SeenStatement>,
    /// The time that counts, seconds since the Unix epoch.
    pub(crate) now: u64,
    /// What the clock says.
    pub(crate) clock: u64,
}

/// What a layer goes by.
pub(super) struct SettledStatements {
    /// What is to be remembered.
    pub(super) newest: Option<NewlySeen>,
    /// The statement; why none holds.
    pub(super) known: Result<KnownStatement, SafeText>,
    /// Whether it is an error that none holds.
    pub(super) is_required: bool,
}

impl StatementCase<'_> {
    /// Returns the newest statement by whoever is believed, and whether it holds. An older one never takes its place.
    ///
    /// # Errors
    /// [`StatementProblem`], for what is never passed over.
    pub(crate) fn settle(
        &self,
        signed: &[SignedStatement],
    ) -> Result<(Option<KnownStatement>, Result<KnownStatement, SafeText>), StatementProblem> {
        let known = self.believed(signed)?;
        let newest = newest_of(known)?;
        if let (Some(seen), Some(newest)) = (self.seen, &newest) {
            let (sequence, digest) = (newest.statement.terms().sequence, newest.digest);
            if sequence < seen.sequence {
                return Err(StatementProblem::RolledBack { sequence, seen: seen.sequence });
            }
            if sequence == seen.sequence && digest != seen.digest {
                let (one, other) = (seen.digest.to_string(), digest.to_string());
                return Err(StatementProblem::Ambiguous { sequence, one, other });
            }
        }
        match (self.holds(newest.as_ref()), newest) {
            (Ok(()), Some(known)) => Ok((Some(known.clone()), Ok(known))),
            (Err(why), newest) => Ok((newest, Err(why))),
            (Ok(()), None) => Ok((None, Err(SafeText::default()))),
        }
    }

    /// Returns the statements about the package by whoever is believed.
    fn believed(&self, signed: &[SignedStatement]) -> Result<Vec<KnownStatement>, StatementProblem> {
        let mut known = Vec::new();
        for SignedStatement { statement, documents } in signed {
            let Vouched { who: signer, signers } = match self.signers.standing(statement, documents, self.now) {
                Standing::Strange => continue,
                Standing::Wrong(why) => return Err(StatementProblem::Forged(why)),
                Standing::Signed(vouched) => vouched,
            };
            let digest = Digest::of(statement);
            let statement = match FactsStatement::read(statement) {
                Ok(Some(statement)) => statement,
                // Signed by somebody who is believed, about something else than facts.
                Ok(None) => continue,
                Err(why) => return Err(StatementProblem::Unusable { signer, why }),
            };
            let misplaced = |why| StatementProblem::Misplaced { signer: signer.clone(), why };
            statement.check_target(self.target).map_err(misplaced)?;
            known.push(KnownStatement { statement, signer, signers, digest });
        }
        Ok(known)
    }

    /// Makes sure that the newest statement is valid now.
    fn holds(&self, newest: Option<&KnownStatement>) -> Result<(), SafeText> {
        let Some(newest) = newest else {
            let before = self.seen.map(|seen| format!("; number {} was seen before", seen.sequence));
            let before = before.unwrap_or_default();
            return Err(SafeText::new(&format!("there is none by whoever is believed{before}")));
        };
        let terms = newest.statement.terms();
        let said = |seconds| time::utc_of(seconds).unwrap_or_else(|| format!("{seconds} s after 1970"));
        if terms.issued > self.now.saturating_add(limits::CLOCK_TOLERANCE.as_secs()) {
            let (issued, now) = (said(terms.issued), said(self.now));
            return Err(SafeText::new(&format!("the newest is of {issued}, and now is {now}")));
        }
        if terms.expires <= self.now {
            return Err(self.late(format!("the newest has expired at {}", said(terms.expires))));
        }
        let age = Duration::from_secs(self.now.saturating_sub(terms.issued));
        match self.rule.max_age {
            Some(most) if age > most => {
                let (issued, most) = (said(terms.issued), humantime::format_duration(most));
                Err(self.late(format!("the newest is of {issued}, and `max_age` is {most}")))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Adds to the reason that a statement is too old what the clock has to do with it.
    fn late(&self, why: String) -> SafeText {
        let behind = clock::behind(self.clock, self.now);
        SafeText::new(&[why].into_iter().chain(behind).collect::<Vec<_>>().join("; "))
    }
}

/// Returns the statement with the highest number, when no two have the same.
fn newest_of(known: Vec<KnownStatement>) -> Result<Option<KnownStatement>, StatementProblem> {
    let mut newest: Option<KnownStatement> = None;
    let mut numbers = BTreeMap::new();
    for known in known {
        let sequence = known.statement.terms().sequence;
        if let Some(other) = numbers.insert(sequence, known.digest) {
            let (one, other) = (other.to_string(), known.digest.to_string());
            return Err(StatementProblem::Ambiguous { sequence, one, other });
        }
        if newest.as_ref().is_none_or(|newest| newest.statement.terms().sequence < sequence) {
            newest = Some(known);
        }
    }
    Ok(newest)
}
