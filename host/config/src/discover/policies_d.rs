//! Reads `policies.d`, a folder with the policies of a layer, each in its file.
//!
//! `NAME.yaml` is an entry of `policy.custom` without `name`; a `NAME.wasm` that no entry of its layer names as its
//! source is an entry without settings (spec section 1). They belong to the layer of the file beside the folder.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::path::PathBuf;

use crate::discover::location::Location;
use crate::discover::search::Search;
use crate::form::WrittenSource;
use crate::keys::custom;
use crate::layer_file::LayerFile;
use crate::problem::ConfigError;
use crate::problem::ConfigProblem;
use crate::problem::ProblemCode;
use crate::problem::shown;
use smcp_model::limits;
use smcp_model::name::PolicyName;
use smcp_model::suspect::Suspect;

/// The folder's name.
pub(crate) const NAME: &str = "policies.d";

/// A folder that was read.
#[derive(Debug)]
pub(crate) struct PolicyFolder {
    /// Its absolute path.
    pub(crate) path: PathBuf,
    /// The folder itself, and its policies in the order of their names.
    pub(crate) files: Vec<LayerFile>,
    /// What another user could have changed.
    pub(crate) suspects: Vec<Suspect>,
    /// The names of files that are no policies.
    pub(crate) unread: Vec<String>,
}

/// The files of one policy.
#[derive(Debug, Default)]
struct PolicyFiles {
    /// Whether there is a `NAME.yaml`.
    entry: bool,
    /// Whether there is a `NAME.wasm`.
    component: bool,
}

/// What a file of the folder is, by its name.
enum FileKind {
    Entry(PolicyName),
    Component(PolicyName),
    /// The signature of the component of this policy.
    Signature(PolicyName),
    /// It was meant as a policy, and would not be read.
    Wrong(&'static str, String),
    Other,
}

/// Reads the `policies.d` beside the file of a layer; `None` without one. `main` is what that file says.
///
/// # Errors
/// When it can't be listed, one of its files can't be read, or a file's name means that it would not be read.
pub(crate) fn read(
    location: &Location,
    main: Option<&LayerFile>,
    search: &Search<'_>,
) -> Result<Option<PolicyFolder>, ConfigError> {
    let path = location.folder().join(NAME);
    let Some((names, suspects)) = search.policies(&path, location)? else { return Ok(None) };
    let (home, layer) = (search.places.home.as_deref(), location.layer);
    let mut folder =
        PolicyFolder { files: vec![LayerFile::folder(&path, layer, home)], suspects, path, unread: vec![] };
    let mut policies = BTreeMap::<PolicyName, PolicyFiles>::new();
    let (mut problems, mut signatures) = (Vec::new(), Vec::new());
    for name in &names {
        match kind_of(name) {
            FileKind::Entry(policy) => policies.entry(policy).or_default().entry = true,
            FileKind::Component(policy) => policies.entry(policy).or_default().component = true,
            FileKind::Signature(policy) => signatures.push((policy, name)),
            FileKind::Wrong(message, allowed) => {
                let file = shown(&folder.path.join(name), home);
                problems.push(ConfigProblem::of_file(ProblemCode::Unreadable, &file, message, Some(&allowed)));
            }
            FileKind::Other => folder.unread.push(name.to_string_lossy().into_owned()),
        }
    }
    // Without an entry nothing asks for a signature, and it is not read.
    let is_unread = |policy: &PolicyName| policies.get(policy).is_none_or(|files| !files.entry);
    let unread = signatures.into_iter().filter(|(policy, _)| is_unread(policy));
    folder.unread.extend(unread.map(|(_, name)| name.to_string_lossy().into_owned()));
    if policies.len() > limits::POLICIES_CEILING {
        let (message, allowed) =
            (format!("it has {} policies", policies.len()), format!("at most {} policies", limits::POLICIES_CEILING));
        let file = shown(&folder.path, home);
        problems.push(ConfigProblem::of_file(ProblemCode::Limit, &file, &message, Some(&allowed)));
    }
    ConfigError::of(problems, 0).map_or(Ok(()), Err)?;
    folder.unread.sort();
    folder.read(policies, main, location, search)?;
    Ok(Some(folder))
}

impl PolicyFolder {
    fn read(
        &mut self,
        policies: BTreeMap<PolicyName, PolicyFiles>,
        main: Option<&LayerFile>,
        location: &Location,
        search: &Search<'_>,
    ) -> Result<(), ConfigError> {
        let (layer, places) = (location.layer, search.places);
        let mut entries = BTreeMap::new();
        for name in policies.iter().filter(|(_, files)| files.entry).map(|(name, _)| name) {
            let file = self.path.join(format!("{name}.yaml"));
            let (bytes, suspects) = search.read(&file, location)?;
            self.suspects.extend(suspects);
            let bytes = bytes.ok_or_else(|| search.unreadable(&file, &"it was removed meanwhile"))?;
            entries.insert(name, LayerFile::entry(&bytes, &file, name, layer, places));
        }
        let files = main.into_iter().chain(entries.values());
        let named: Vec<WrittenSource> = files.flat_map(LayerFile::sources).cloned().collect();
        for (name, files) in &policies {
            let component = self.path.join(format!("{name}.wasm"));
            let entry = entries.remove(name);
            if let (true, Some(entry)) = (files.component, &entry) {
                refuse_strangers(entry, &component, search)?;
            }
            let is_named = named.contains(&WrittenSource::File(component.clone()));
            let is_bare = files.component && entry.is_none() && !is_named;
            let bare = is_bare.then(|| LayerFile::component(&component, name, layer, places.home.as_deref()));
            self.files.extend(entry.into_iter().chain(bare));
        }
        Ok(())
    }
}

/// Refuses an entry whose source is not the component beside it that has its name. One without a valid source has a
/// problem already.
fn refuse_strangers(entry: &LayerFile, component: &Path, search: &Search<'_>) -> Result<(), ConfigError> {
    let home = search.places.home.as_deref();
    let source = match entry.sources().next() {
        Some(WrittenSource::File(source)) if source != component => shown(source, home),
        Some(WrittenSource::Remote(address)) => address.to_string(),
        Some(WrittenSource::File(_)) | None => return Ok(()),
    };
    let message = format!("its `source` is {source}, and {} is beside it", shown(component, home));
    let (file, allowed) = (
        shown(&component.with_extension("yaml"), home),
        "that component as its `source`, or another name for one of the two",
    );
    Err(ConfigError::one(ConfigProblem::of_file(ProblemCode::Conflict, &file, &message, Some(allowed))))
}

/// Returns what a file is by its name. Names that begin with a dot are of editors and package managers.
fn kind_of(name: &OsStr) -> FileKind {
    let Some(text) = name.to_str() else { return FileKind::Other };
    let signed = [".wasm.minisig", ".wasm.sigstore.json"].iter().find_map(|suffix| text.strip_suffix(suffix));
    if let Some(policy) = signed.and_then(custom::policy_name) {
        return FileKind::Signature(policy);
    }
    let Some((stem, extension)) = text.rsplit_once('.').filter(|(stem, _)| !stem.starts_with('.') && !stem.is_empty())
    else {
        return FileKind::Other;
    };
    let is_one_of = |words: &[&str]| words.iter().any(|word| extension.eq_ignore_ascii_case(word));
    let kind = match extension {
        "yaml" => FileKind::Entry,
        "wasm" => FileKind::Component,
        _ if is_one_of(&["yaml", "yml"]) => {
            return FileKind::Wrong("it is not read: a policy's file is called `NAME.yaml`", format!("{stem}.yaml"));
        }
        _ if is_one_of(&["wasm", "wat"]) => {
            return FileKind::Wrong(
                "it is not read: a policy's component is called `NAME.wasm`",
                format!("{stem}.wasm"),
            );
        }
        _ => return FileKind::Other,
    };
    custom::policy_name(stem).map_or_else(
        || {
            FileKind::Wrong(
                "the file's name is the policy's, and this is none",
                format!("{}, before `.{extension}`", custom::NAME.form.allowed),
            )
        },
        kind,
    )
}
