//! Signed statements in a directory registry: files beside a version.
//!
//! `packages/ORG/NAME/VERSION.statements/MANIFEST/` has the statements about the version with that manifest: each as
//! `DIGEST.json` with a signature of each key as `DIGEST.KEY.minisig`, or as a sigstore bundle `DIGEST.sigstore.json`. A
//! version whose manifest is exchanged leaves them behind at the same moment. Who may write there is not looked at: whoever
//! can change a statement can't sign it.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::io::Write as _;

use cap_std::fs::Dir;

use crate::directory::DirectoryRegistry;
use crate::directory::PACKAGES;
use crate::error::PackageError;
use crate::error::VersionProblem;
use smcp_model::bounded;
use smcp_model::digest::Digest;
use smcp_model::limits::signatures;
use smcp_model::limits::statements as limits;
use smcp_model::name::PackageId;
use smcp_model::package::Version;
use smcp_model::statement::ArrivedStatement;
use smcp_model::statement::ArrivedStatements;
use smcp_model::statement::FactsStatement;
use smcp_model::text::SafeText;
use smcp_store::access::StoreAccess;
use smcp_store::blobs::create_folder;
use smcp_store::draft::FileDraft;
use smcp_store::file::open_file;

/// The end of the name of the folder with a version's statements.
const FOLDER: &str = ".statements";
/// The end of a statement's name; its digest comes before it.
const STATEMENT: &str = ".json";
/// The end of the name of a signature; the number of its key comes before it.
const MINISIGN: &str = ".minisig";
/// The end of the name of a sigstore bundle.
const SIGSTORE: &str = ".sigstore.json";

impl DirectoryRegistry {
    /// Reads the statements about a version with this manifest.
    pub(crate) fn arrived(
        &self,
        id: &PackageId,
        version: &Version,
        manifest: &Digest,
    ) -> Result<ArrivedStatements, PackageError> {
        let path = format!("{}/{}", folder_of(id, version), manifest.hex());
        let failed = || self.failed(format!("read `{path}`"));
        let folder = match self.dir().open_dir(&path) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(ArrivedStatements::default());
            }
            folder => folder.map_err(failed())?,
        };
        let label = format!("{id}@{version}");
        let refused = |problem: SafeText| VersionProblem::Statements(problem).of(&label);
        let read = |name: &str, limit: usize| -> Result<Option<Vec<u8>>, PackageError> {
            let Some(file) = open_file(&folder, name).map_err(failed())? else { return Ok(None) };
            // What is longer is nobody's statement, and no signature of one.
            bounded::read_within(file, limit, 0).map_err(failed())
        };
        let names = names(&folder).map_err(failed())?.ok_or_else(|| {
            let most = limits::FILES;
            refused(SafeText::new(&format!("`{path}` has more than {most} files")))
        })?;
        let mut arrived = ArrivedStatements::default();
        for name in &names {
            if name.ends_with(SIGSTORE) {
                if let Some(bundle) = read(name, limits::BUNDLE)? {
                    arrived.add(ArrivedStatement::Sigstore { bundle }).map_err(refused)?;
                }
                continue;
            }
            let Some(stem) = name.strip_suffix(STATEMENT) else { continue };
            let Some(statement) = read(name, limits::STATEMENT)? else { continue };
            for signature in signatures_of(stem, &names) {
                let Some(signature) = read(signature, signatures::MINISIGN)? else { continue };
                let statement = statement.clone();
                arrived.add(ArrivedStatement::Minisign { statement, signature }).map_err(refused)?;
            }
        }
        Ok(arrived)
    }

    /// Adds a statement that was signed with minisign by the key with this number. The statement is there when its signature
    /// is: readers see both, or neither.
    pub(crate) fn add_statement(
        &self,
        (id, version, manifest): (&PackageId, &Version, &Digest),
        statement: &[u8],
        (number, signature): (&str, &[u8]),
    ) -> Result<(), PackageError> {
        let folder = folder_of(id, version);
        let failed = || self.failed(format!("write to its folder `{folder}`"));
        let write = || {
            let mut inner = self.dir().try_clone()?;
            for name in folder.split('/').chain([manifest.hex().as_str()]) {
                inner = create_folder(&inner, name, StoreAccess::Shared)?;
            }
            let digest = Digest::of(statement).hex();
            for (name, bytes) in
                [(format!("{digest}.{number}{MINISIGN}"), signature), (format!("{digest}{STATEMENT}"), statement)]
            {
                let mut draft = FileDraft::new(&inner, StoreAccess::Shared)?;
                draft.write_all(bytes)?;
                draft.keep(&name)?;
            }
            remove_old(&inner, number)
        };
        write().map_err(failed())
    }
}

/// Removes what newer statements of a key have replaced, and the statements that nobody has signed then.
fn remove_old(folder: &Dir, number: &str) -> std::io::Result<()> {
    let Some(names) = names(folder)? else { return Ok(()) };
    let mut own = Vec::new();
    for name in &names {
        let Some(stem) = name.strip_suffix(&format!(".{number}{MINISIGN}")) else { continue };
        let statement = open_file(folder, &format!("{stem}{STATEMENT}"))?;
        let bytes = statement.map(|file| bounded::read_within(file, limits::STATEMENT, 0)).transpose()?.flatten();
        let read = bytes.and_then(|bytes| FactsStatement::read(&bytes).ok().flatten());
        own.extend(read.map(|statement| (std::cmp::Reverse(statement.terms().sequence), stem, name)));
    }
    own.sort_unstable();
    for (_, stem, name) in own.into_iter().skip(limits::KEPT_PER_SIGNER) {
        folder.remove_file(name)?;
        if signatures_of(stem, &names).all(|other| other == name) {
            folder.remove_file(format!("{stem}{STATEMENT}"))?;
        }
    }
    Ok(())
}

/// Returns the names of the signatures of a statement.
fn signatures_of<'n>(stem: &str, names: &'n BTreeSet<String>) -> impl Iterator<Item = &'n str> {
    let start = format!("{stem}.");
    let is_signature = move |name: &&str| name.starts_with(&start) && name.ends_with(MINISIGN);
    names.iter().map(String::as_str).filter(is_signature)
}

/// Lists the names in a folder; `None` when there are more than are looked at.
fn names(folder: &Dir) -> std::io::Result<Option<BTreeSet<String>>> {
    let mut names = BTreeSet::new();
    for entry in folder.entries()? {
        names.extend(entry?.file_name().into_string().ok());
        if names.len() > limits::FILES {
            return Ok(None);
        }
    }
    Ok(Some(names))
}

fn folder_of(id: &PackageId, version: &Version) -> String {
    format!("{PACKAGES}/{}/{}/{version}{FOLDER}", id.org, id.name)
}
