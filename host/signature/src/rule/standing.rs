//! What signatures of a statement are worth to who believes some signers.
//!
//! A statement of a stranger is nobody's business. One that says it is by somebody who is believed, and is not, was forged
//! or damaged: that is never passed over, whatever else there is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::bundle::Meant;
use crate::bundle::SigstoreBundle;
use crate::bundle::hex;
use crate::json::Moment;
use crate::keyless;
use crate::minisign;
use crate::rule::LoadedRule;
use crate::rule::LoadedSigner;
use crate::rule::SignatureDocument;
use smcp_model::text::SafeText;

/// What the signatures of a statement are worth under a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is signed as the rule says.
    Signed(Vouched),
    /// Nobody has signed it who may, or of several that must have, not all.
    Strange,
    /// It is said to be by somebody who may sign, and is not: by whom, and what is wrong.
    Wrong(SafeText),
}

/// Who has signed a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// Whoever meets the rule, as records name him.
    pub who: SafeText,
    /// Everybody whom the rule names and who has signed it, each as records name him.
    pub signers: Vec<String>,
}

/// Returns the statement in a sigstore bundle; `None` when there is none in it, or it can't be read.
pub fn statement_in(bundle: &[u8]) -> Option<Vec<u8>> {
    SigstoreBundle::read(bundle).ok()?.content.statement().map(<[u8]>::to_vec)
}

impl LoadedRule {
    /// Holds the signatures of a statement against the rule. What the statement is about is not looked at. `now` is in Unix
    /// seconds; nothing is fetched.
    pub fn standing(&self, statement: &[u8], documents: &[SignatureDocument], now: u64) -> Standing {
        let (mut met, mut everybody) = (None, Vec::new());
        for demand in &self.demands {
            let mut signers = Vec::new();
            for signer in demand {
                let mut is_met = false;
                for document in documents.iter().filter(|document| document.form == signer.form()) {
                    match signer.vouches(document, statement, Moment(now)) {
                        Ok(vouches) => is_met |= vouches,
                        Err(wrong) => return Standing::Wrong(wrong),
                    }
                }
                signers.extend(is_met.then(|| signer.recorded()));
            }
            if met.is_none() && signers.len() == demand.len() {
                met = Some(SafeText::new(&signers.join(" and ")));
            }
            everybody.extend(signers);
        }
        everybody.sort_unstable();
        everybody.dedup();
        met.map_or(Standing::Strange, |who| Standing::Signed(Vouched { who, signers: everybody }))
    }

    /// Whether the rule would be met by signatures of these signers, named as records name them.
    pub fn believes(&self, signers: &[String]) -> bool {
        let is_met = |demand: &Vec<LoadedSigner>| demand.iter().all(|signer| signers.contains(&signer.recorded()));
        self.demands.iter().any(is_met)
    }
}

impl LoadedSigner {
    /// Whether the document is this signer's signature of the statement.
    ///
    /// # Errors
    /// What is wrong with it, when it says that it is.
    fn vouches(&self, document: &SignatureDocument, statement: &[u8], now: Moment) -> Result<bool, SafeText> {
        let is_claimed = self.is_claimed(document);
        // A bundle by a key need not say which: only trying tells.
        if !is_claimed && !matches!(self, Self::Key { .. }) {
            return Ok(false);
        }
        match self.verify(document, Meant::Statement(statement), now) {
            Ok(()) => Ok(true),
            Err(flaw) if is_claimed => {
                let (name, signer) = (&document.name, self.recorded());
                Err(SafeText::new(&format!("{name} is said to be by {signer}, and {flaw}")))
            }
            Err(_) => Ok(false),
        }
    }

    /// Whether the document says that it is by this signer.
    fn is_claimed(&self, document: &SignatureDocument) -> bool {
        let bundle = || SigstoreBundle::read(&document.content).ok();
        match self {
            Self::Minisign(key) => minisign::is_claimed(&document.content, key),
            Self::Key { key, log: _ } => {
                let names = [STANDARD.encode(key.name()), hex(&key.name())];
                bundle().is_some_and(|bundle| names.contains(&bundle.hint))
            }
            Self::Keyless { issuer, identity, roots: _ } => {
                bundle().is_some_and(|bundle| keyless::is_claimed(&bundle, (identity, issuer)))
            }
        }
    }
}
