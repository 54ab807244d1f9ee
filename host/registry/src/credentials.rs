//! The tokens for registries: one file that only its owner can read.
//!
//! A file that can't be read or parsed is an error, and never counts as empty: a request without the token would be
//! anonymous, and writing would lose the other tokens. No message quotes the file.

use std::collections::BTreeMap;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use cap_std::fs::Dir;
use cap_std::fs::File;
use cap_std::fs::MetadataExt as _;
use cap_std::fs::PermissionsExt as _;

use smcp_model::bounded;
use smcp_model::endpoint::Endpoint;
use smcp_model::limits;
use smcp_model::log_in::LogIn;
use smcp_model::oci::OciHost;
use smcp_model::ownership::Caller;
use smcp_model::ownership::Ownership;
use smcp_model::ownership::Untrusted;
use smcp_model::secret::Secret;
use smcp_store::access::StoreAccess;
use smcp_store::draft::FileDraft;
use smcp_store::file::open_file;

/// The name of the file, in `~/.mcp`.
const FILE: &str = "credentials.json";
const SCHEMA: &str = "smcp.credentials/1";

/// An error of the file of tokens.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The system returned an error.
    #[error("can't {doing} {}", path.display())]
    Io {
        /// The operation, for the message.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        #[source]
        cause: io::Error,
    },
    /// Other users could have read the file.
    #[error("{} can be read by others (mode {mode:03o})\n  consider its tokens known, replace them, and run: chmod 600 {}", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// The permissions of the file.
        mode: u32,
    },
    /// Other users could replace the file.
    #[error("{} is not safe for tokens: {problem}\n  {}", path.display(), remedy(path, *problem))]
    Unsafe {
        /// The folder.
        path: PathBuf,
        /// The problem.
        problem: Untrusted,
    },
    /// The file belongs to another user.
    #[error("{} belongs to user {owner}, not to you\n  remove it, and log in again", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The user ID of its owner.
        owner: u32,
    },
    /// The file is not valid.
    #[error("{} is no file of tokens: line {line}, column {column}\n  remove it, and log in again", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line of the first problem; 0 when it is unknown.
        line: usize,
        /// The column of the first problem.
        column: usize,
    },
}

fn remedy(path: &Path, problem: Untrusted) -> String {
    match problem {
        Untrusted::Foreign { .. } => "make it yours, or set HOME to your own home".to_owned(),
        Untrusted::OthersWrite { .. } | Untrusted::GroupWrites { .. } => {
            format!("run: {} {}", problem.remedy(), path.display())
        }
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialsFile {
    schema: String,
    registries: BTreeMap<String, CredentialsEntry>,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialsEntry {
    /// The name that goes with it, for a registry of images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    token: String,
}

/// The file of tokens in a directory.
#[derive(Debug)]
pub struct Credentials {
    dir: Dir,
    folder: PathBuf,
    path: PathBuf,
    caller: Caller,
}

impl Credentials {
    /// The file of tokens in `dir`, which is at `path`.
    pub fn new(dir: Dir, path: &Path, caller: Caller) -> Self {
        Self { dir, folder: path.to_path_buf(), path: path.join(FILE), caller }
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the token for `endpoint`, if there is one.
    ///
    /// # Errors
    /// When the file exists and can't be read, trusted or parsed.
    pub fn token(&self, endpoint: &Endpoint) -> Result<Option<Secret>, CredentialsError> {
        Ok(self.entry(&endpoint.to_string())?.map(|(_, token)| token))
    }

    /// Returns the name and the token for a registry of images, if there are any.
    ///
    /// # Errors
    /// As [`Credentials::token`].
    pub fn log_in(&self, host: &OciHost) -> Result<Option<LogIn>, CredentialsError> {
        let Some((user, password)) = self.entry(&host.to_string())? else { return Ok(None) };
        Ok(Some(LogIn::Password { user: user.ok_or_else(|| self.malformed(0, 0))?, password }))
    }

    fn entry(&self, place: &str) -> Result<Option<(Option<String>, Secret)>, CredentialsError> {
        let Some(entry) = self.read()?.registries.remove(place) else { return Ok(None) };
        let token = Secret::new(&entry.token).map_err(|_| self.malformed(0, 0))?;
        Ok(Some((entry.username, token)))
    }

    /// Stores the token for `endpoint`, and replaces an earlier one.
    ///
    /// # Errors
    /// When the existing file can't be used, or the new one can't be written.
    pub fn store(&self, endpoint: &Endpoint, token: &Secret) -> Result<(), CredentialsError> {
        self.keep(endpoint.to_string(), None, token)
    }

    /// Stores a name and a token for a registry of images, and replaces earlier ones.
    ///
    /// # Errors
    /// As [`Credentials::store`].
    pub fn store_log_in(&self, host: &OciHost, user: &str, token: &Secret) -> Result<(), CredentialsError> {
        self.keep(host.to_string(), Some(user.to_owned()), token)
    }

    fn keep(&self, place: String, username: Option<String>, token: &Secret) -> Result<(), CredentialsError> {
        let mut document = self.read()?;
        document.registries.insert(place, CredentialsEntry { username, token: token.expose().to_owned() });
        self.write(&document)
    }

    /// Removes the token for `endpoint`. Returns whether there was one.
    ///
    /// # Errors
    /// As [`Credentials::store`].
    pub fn forget(&self, endpoint: &Endpoint) -> Result<bool, CredentialsError> {
        self.remove(&endpoint.to_string())
    }

    /// Removes the log-in for a registry of images. Returns whether there was one.
    ///
    /// # Errors
    /// As [`Credentials::store`].
    pub fn forget_log_in(&self, host: &OciHost) -> Result<bool, CredentialsError> {
        self.remove(&host.to_string())
    }

    fn remove(&self, place: &str) -> Result<bool, CredentialsError> {
        let mut document = self.read()?;
        let known = document.registries.remove(place).is_some();
        if known { self.write(&document).map(|()| true) } else { Ok(false) }
    }

    fn read(&self) -> Result<CredentialsFile, CredentialsError> {
        let folder = Ownership::from(&self.dir.dir_metadata().map_err(self.failed("look at the folder of"))?);
        let refused = |problem| CredentialsError::Unsafe { path: self.folder.clone(), problem };
        self.caller.check(folder).map_err(refused)?;
        let Some(file) = open_file(&self.dir, FILE).map_err(self.failed("open"))? else {
            return Ok(CredentialsFile { schema: SCHEMA.to_owned(), registries: BTreeMap::new() });
        };
        self.check(&file)?;
        let bytes = bounded::read_within(file, limits::CREDENTIALS, 0).map_err(self.failed("read"))?;
        let bytes = bytes.ok_or_else(|| self.malformed(1, 1))?;
        let document: CredentialsFile =
            serde_json::from_slice(&bytes).map_err(|error| self.malformed(error.line(), error.column()))?;
        if document.schema == SCHEMA { Ok(document) } else { Err(self.malformed(1, 1)) }
    }

    /// Checks that no other user can have read or written the open file.
    fn check(&self, file: &File) -> Result<(), CredentialsError> {
        let metadata = file.metadata().map_err(self.failed("look at"))?;
        let mode = metadata.permissions().mode() & 0o777;
        if metadata.uid() != self.caller.uid() {
            return Err(CredentialsError::Foreign { path: self.path.clone(), owner: metadata.uid() });
        }
        if mode & 0o077 != 0 {
            return Err(CredentialsError::Exposed { path: self.path.clone(), mode });
        }
        Ok(())
    }

    fn write(&self, document: &CredentialsFile) -> Result<(), CredentialsError> {
        let failed = || self.failed("write");
        let mut draft = FileDraft::new(&self.dir, StoreAccess::Private).map_err(failed())?;
        let text = serde_json::to_vec_pretty(document).map_err(io::Error::from).map_err(failed())?;
        draft.write_all(&text).map_err(failed())?;
        draft.write_all(b"\n").map_err(failed())?;
        draft.keep(FILE).map_err(failed())
    }

    fn malformed(&self, line: usize, column: usize) -> CredentialsError {
        CredentialsError::Malformed { path: self.path.clone(), line, column }
    }

    fn failed(&self, doing: &'static str) -> impl Fn(io::Error) -> CredentialsError {
        let path = self.path.clone();
        move |cause| CredentialsError::Io { doing, path: path.clone(), cause }
    }
}

#[cfg(test)]
mod tests {
    use cap_std::fs::Permissions;

    use super::*;
    use smcp_bed::Bed;
    use smcp_bed::caller;
    use smcp_model::endpoint::Scheme;

    fn bed() -> (Bed, Credentials) {
        let bed = Bed::with([]);
        let credentials = Credentials::new(bed.root.try_clone().unwrap(), bed.folder(), caller());
        (bed, credentials)
    }

    fn endpoint(scheme: Scheme, authority: &str) -> Endpoint {
        Endpoint::new(scheme, authority).unwrap()
    }

    #[test]
    fn a_token_belongs_to_scheme_host_and_port() {
        let (_bed, credentials) = bed();
        let home = endpoint(Scheme::Https, "r.example");
        assert_eq!(credentials.token(&home).unwrap(), None);
        assert!(!credentials.forget(&home).unwrap());
        let (one, two) = (Secret::new("one").unwrap(), Secret::new("two").unwrap());
        credentials.store(&home, &one).unwrap();
        credentials.store(&endpoint(Scheme::Http, "localhost:8080"), &two).unwrap();
        let cases = [
            (endpoint(Scheme::Https, "R.example:443"), Some(&one)),
            (endpoint(Scheme::Http, "localhost:8080"), Some(&two)),
            (endpoint(Scheme::Https, "r.example:8443"), None),
            (endpoint(Scheme::Http, "r.example"), None),
            (endpoint(Scheme::Https, "a.r.example"), None),
            (endpoint(Scheme::Http, "127.0.0.1:8080"), None),
        ];
        for (endpoint, expected) in cases {
            assert_eq!(credentials.token(&endpoint).unwrap().as_ref(), expected, "{endpoint}");
        }
        credentials.store(&home, &two).unwrap();
        assert_eq!(credentials.token(&home).unwrap(), Some(two));
        assert!(credentials.forget(&home).unwrap());
        assert_eq!(credentials.token(&home).unwrap(), None);
    }

    #[test]
    fn the_file_is_its_owners_alone() {
        let (_bed, credentials) = bed();
        let home = endpoint(Scheme::Https, "r.example");
        credentials.store(&home, &Secret::new("hunter2").unwrap()).unwrap();
        let mode = |dir: &Dir| dir.metadata(FILE).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&credentials.dir), 0o600);
        assert_eq!(credentials.dir.entries().unwrap().count(), 1, "no draft is left");
        for exposed in [0o640, 0o604, 0o620, 0o602, 0o660, 0o666, 0o610] {
            credentials.dir.set_permissions(FILE, Permissions::from_mode(exposed)).unwrap();
            let refused = [
                credentials.token(&home).map(drop),
                credentials.store(&home, &Secret::new("new").unwrap()),
                credentials.forget(&home).map(drop),
            ];
            for result in refused {
                let message = result.unwrap_err().to_string();
                assert!(message.contains(&format!("mode {exposed:03o}")) && message.contains("chmod 600"), "{message}");
            }
            assert_eq!(mode(&credentials.dir), exposed, "it is left for its owner to see");
        }
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_not_used() {
        let (_bed, credentials) = bed();
        let home = endpoint(Scheme::Https, "r.example");
        credentials.store(&home, &Secret::new("hunter2").unwrap()).unwrap();
        for mode in [0o777, 0o1777, 0o775] {
            credentials.dir.set_permissions(".", Permissions::from_mode(mode)).unwrap();
            let message = credentials.token(&home).unwrap_err().to_string();
            assert!(message.contains("is not safe for tokens") && message.contains("\n  run: chmod "), "{message}");
            assert!(credentials.store(&home, &Secret::new("new").unwrap()).is_err());
        }
        credentials.dir.set_permissions(".", Permissions::from_mode(0o755)).unwrap();
        assert!(credentials.token(&home).unwrap().is_some());
    }

    #[test]
    fn what_is_no_file_of_tokens_is_refused_and_not_quoted() {
        let cases = [
            ("", "line 1, column 0"),
            ("hunter2", "line 1, column 1"),
            (r#"{"schema":"smcp.credentials/1","registries":["hunter2"]}"#, "line 1, column 4"),
            (r#"{"schema":"smcp.credentials/1","registries":{"https://r.example":"hunter2"}}"#, "line 1, column 7"),
            (r#"{"schema":"smcp.credentials/1","registries":{"https://r.example":{"token":"hunter2 x"}}}"#, "line 0"),
            (
                r#"{"schema":"smcp.credentials/1","registries":{"https://r.example":{"token":"hunter2","x":1}}}"#,
                "line 1",
            ),
            (r#"{"schema":"hunter2","registries":{}}"#, "line 1, column 1"),
        ];
        for (text, place) in cases {
            let (_bed, credentials) = bed();
            credentials.dir.write(FILE, text).unwrap();
            credentials.dir.set_permissions(FILE, Permissions::from_mode(0o600)).unwrap();
            let message = credentials.token(&endpoint(Scheme::Https, "r.example")).unwrap_err().to_string();
            assert!(message.contains(place) && !message.contains("hunter2"), "{text}: {message}");
        }
    }

    #[test]
    fn a_registry_of_images_has_a_name_beside_its_token() {
        let (_bed, credentials) = bed();
        let (host, home) = (OciHost::new("r.example").unwrap(), endpoint(Scheme::Https, "r.example"));
        credentials.store_log_in(&host, "me", &Secret::new("hunter2").unwrap()).unwrap();
        // The same host as a registry of packages is something else.
        assert_eq!(credentials.token(&home).unwrap(), None);
        credentials.store(&home, &Secret::new("other").unwrap()).unwrap();
        let known = LogIn::Password { user: "me".to_owned(), password: Secret::new("hunter2").unwrap() };
        assert_eq!(credentials.log_in(&host).unwrap(), Some(known));
        assert!(credentials.forget_log_in(&host).unwrap() && !credentials.forget_log_in(&host).unwrap());
        assert_eq!(credentials.log_in(&host).unwrap(), None);
        assert_eq!(credentials.token(&home).unwrap(), Some(Secret::new("other").unwrap()));
    }

    #[test]
    fn only_a_regular_file_is_read() {
        let (_bed, credentials) = bed();
        credentials.dir.create_dir(FILE).unwrap();
        assert!(credentials.token(&endpoint(Scheme::Https, "r.example")).is_err());
    }
}
