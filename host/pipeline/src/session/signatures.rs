//! The signatures of components: those that lie beside their files.
//!
//! Nothing is read where no `signed_by` stands. A signature is not guarded as a component is: whoever could change it could
//! not make another that fits. The files that `signed_by` names are guarded as the configuration itself.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::PipelineError;
use crate::Session;
use crate::signed::SignatureMismatch;
use crate::signed::SignerFile;
use smcp_authority as authority;
use smcp_authority::Folder;
use smcp_authority::Guarded;
use smcp_authority::GuardedReader;
use smcp_authority::ReadError;
use smcp_config::choice::OnSuspect;
use smcp_model::policy::PolicySpec;
use smcp_model::signer::SignedBy;
use smcp_model::suspect::Suspect;
use smcp_model::text::SafeText;
use smcp_policy::Unreadable;
use smcp_signature::LoadedRule;
use smcp_signature::SignatureDocument;
use smcp_signature::SignatureForm;
use smcp_signature::Unsigned;

impl Session {
    /// Returns who has signed the component of a policy, whose file has these bytes; `None` when nobody need to have.
    ///
    /// # Errors
    /// [`PipelineError::Signature`] when nobody has signed it who may; [`PipelineError::SignerFile`] when a file that
    /// `signed_by` names can't be used, [`PipelineError::Untrusted`] when another user could have written one.
    pub(super) fn signer(
        &self,
        spec: &PolicySpec,
        path: &Path,
        bytes: &[u8],
        reader: &mut GuardedReader,
    ) -> Result<Option<SafeText>, PipelineError> {
        let Some(rule) = self.rule_of(spec, reader)? else { return Ok(None) };
        let documents = documents_beside(path, &rule.forms());
        let verified = rule.verify(bytes, &documents, self.system().now());
        verified.map(Some).map_err(|unsigned| mismatch(spec, path, &rule.forms(), unsigned))
    }

    /// Reads the files that the rule of a policy names; `None` when nobody need to have signed its component.
    pub(super) fn rule_of(
        &self,
        spec: &PolicySpec,
        reader: &mut GuardedReader,
    ) -> Result<Option<LoadedRule>, PipelineError> {
        spec.signed_by.as_ref().map(|signed_by| self.signer_rule(spec, signed_by, reader)).transpose()
    }

    fn signer_rule(
        &self,
        spec: &PolicySpec,
        signed_by: &SignedBy,
        reader: &mut GuardedReader,
    ) -> Result<LoadedRule, PipelineError> {
        LoadedRule::load(signed_by, &mut |file, limit| {
            let Guarded { bytes, suspects } = reader.read(file, limit, Folder::Any, spec.layer.owners());
            if let (OnSuspect::Refuse, Some(suspect)) = (self.config().on_suspect(), suspects.into_iter().next()) {
                return Err(PipelineError::Untrusted { name: spec.name.clone(), suspect });
            }
            let why = |error: ReadError| SignerFile { file: file.to_owned(), why: error.to_string() };
            bytes.map_err(|error| PipelineError::SignerFile(why(error)))
        })
    }

    /// Returns every file and folder that another user could write to, on the way to the files that a rule names.
    pub(super) fn signer_suspects(spec: &PolicySpec, reader: &mut GuardedReader) -> Vec<Suspect> {
        let Some(signed_by) = &spec.signed_by else { return Vec::new() };
        let files = signed_by.files();
        // No bytes are needed to know who could write to them.
        files.into_iter().flat_map(|file| reader.read(file, 0, Folder::Any, spec.layer.owners()).suspects).collect()
    }
}

/// Returns the refusal of a component that can't be read as far as a signature could be verified; `None` when it is not
/// there at all, which is a fault of its policy.
pub(super) fn unverifiable(spec: &PolicySpec, path: &Path, unreadable: &Unreadable) -> Option<PipelineError> {
    let signed_by = spec.signed_by.as_ref()?;
    let found = match unreadable {
        Unreadable::TooLarge { limit, .. } => format!("it has more than {limit} bytes"),
        Unreadable::NotAFile(_) => "it is not a regular file".to_owned(),
        Unreadable::Disabled | Unreadable::Failed(_) | Unreadable::NotFetched(_) => return None,
    };
    let (name, expected) = (spec.name.clone(), SafeText::new(&signed_by.to_string()));
    let found = SafeText::new(&found);
    Some(PipelineError::Signature(Box::new(SignatureMismatch { name, component: shown(path), found, expected })))
}

/// Returns the refusal of a component that is part of a policy set and should be signed: a set has no signatures in it.
pub(super) fn unsigned_in_set(spec: &PolicySpec, path: &Path) -> Option<PipelineError> {
    let expected = SafeText::new(&spec.signed_by.as_ref()?.to_string());
    let found = SafeText::new("it is part of a policy set, in which no signatures are: leave `signed_by` out there");
    let mismatch = SignatureMismatch { name: spec.name.clone(), component: shown(path), found, expected };
    Some(PipelineError::Signature(Box::new(mismatch)))
}

fn mismatch(spec: &PolicySpec, path: &Path, forms: &[SignatureForm], unsigned: Unsigned) -> PipelineError {
    let (name, found) = (spec.name.clone(), found_beside(path, forms, &unsigned));
    let mismatch = SignatureMismatch { name, component: shown(path), found, expected: unsigned.expected };
    PipelineError::Signature(Box::new(mismatch))
}

/// Says what there is beside a file in place of a signature that counts.
pub(crate) fn found_beside(path: &Path, forms: &[SignatureForm], unsigned: &Unsigned) -> SafeText {
    if !unsigned.found.is_empty() {
        return SafeText::new(&unsigned.to_string());
    }
    let names = forms.iter().map(|form| file_name(&beside(path, form.suffix())));
    let mut found = format!("no signature beside it (looked for {})", names.collect::<Vec<_>>().join(", "));
    let old = beside(path, "sig");
    if authority::exists(&old).unwrap_or(false) {
        let old = file_name(&old);
        found.push_str(&format!("; {old} may be cosign's old layout, which is not read: sign again with cosign 3"));
    }
    SafeText::new(&found)
}

/// Returns the signatures of these forms that lie beside a file. One that can't be read counts as one that says nothing,
/// so that the refusal names it.
pub fn documents_beside(path: &Path, forms: &[SignatureForm]) -> Vec<SignatureDocument> {
    let read = |form: &SignatureForm| {
        let file = beside(path, form.suffix());
        let content = match authority::read_file(&file, form.most()) {
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return None,
            content => content.unwrap_or_default(),
        };
        Some(SignatureDocument { name: SafeText::new(&file_name(&file)), form: *form, content })
    };
    forms.iter().filter_map(read).collect()
}

/// Returns the path of a file with something added to its name.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path.file_name().unwrap_or_default());
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

fn shown(path: &Path) -> SafeText {
    SafeText::new(&path.to_string_lossy())
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
