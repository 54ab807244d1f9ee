//! The keys for signing: made, kept in `~/.mcp/keys`, and opened.
//!
//! A secret key is a file of its own that its owner alone can read, in minisign's form. It is protected by a password, or
//! is not because that was asked for by name. Nothing here is ever printed.

use std::ffi::OsStr;
use std::io;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::anyhow;

use crate::cli::app::App;
use crate::cli::failure::Failure;
use smcp_authority as authority;
use smcp_authority::Folder;
use smcp_authority::Guarded;
use smcp_authority::ReadError;
use smcp_model::limits;
use smcp_model::limits::signatures::KEY_FILE;
use smcp_model::limits::signatures::PASSWORD;
use smcp_model::name::PolicyName;
use smcp_model::ownership::Owners;
use smcp_signature::secret_key::Password;
use smcp_signature::secret_key::SecretKey;
use smcp_signature::secret_key::SecretKeyFile;

/// The variable with the text of a secret key.
pub(super) const KEY_VARIABLE: &str = "SMCP_SIGNING_KEY";
/// The variable with the password of a secret key.
const PASSWORD_VARIABLE: &str = "SMCP_SIGNING_PASSWORD";

/// Makes a pair of keys, and writes both into `~/.mcp/keys`. Returns the key, and the files of its secret and public half.
pub(super) fn make(
    app: &App,
    name: &PolicyName,
    unprotected: bool,
    password_file: Option<&Path>,
) -> Result<(SecretKey, (PathBuf, PathBuf)), Failure> {
    let folder = folder(app)?;
    let (secret, public) = (folder.join(format!("{name}.key")), folder.join(format!("{name}.pub")));
    for place in [&secret, &public] {
        if authority::exists(place).unwrap_or(true) {
            let place = place.display();
            return Err(Failure::usage(anyhow!("{place} exists: a key is never overwritten; take another name")));
        }
    }
    let password = if unprotected { None } else { Some(new_password(app, password_file)?) };
    let key = SecretKey::generate().map_err(Failure::usage)?;
    let text = key.file(password.as_ref()).map_err(Failure::usage)?;
    for (place, text) in [(&secret, &text), (&public, &key.public_file())] {
        let written = authority::create_private(place, text.as_bytes());
        written.with_context(|| format!("while writing {}", place.display())).map_err(Failure::usage)?;
    }
    Ok((key, (secret, public)))
}

/// Opens a key: that of the variable, the named one, or the only one.
pub(super) fn open(app: &App, named: Option<&Path>, password_file: Option<&Path>) -> Result<SecretKey, Failure> {
    let variable = app.variable(OsStr::new(KEY_VARIABLE)).filter(|_| named.is_none());
    let (name, text) = match variable {
        Some(text) => (KEY_VARIABLE.to_owned(), text.as_encoded_bytes().to_vec()),
        None => {
            let file = match named {
                Some(named) => file_of(app, named)?,
                None => only(app)?,
            };
            (file.display().to_string(), read_secret(app, &file)?)
        }
    };
    let wrong = |error| Failure::usage(anyhow::Error::new(error).context(format!("while opening the key in {name}")));
    let file = SecretKeyFile::read(&text).map_err(wrong)?;
    let password = match file.is_protected() {
        true => Some(known_password(app, password_file, &format!("password of {name}: "))?),
        false => None,
    };
    file.open(password.as_ref()).map_err(wrong)
}

/// The folder of the keys.
fn folder(app: &App) -> Result<PathBuf, Failure> {
    let home = app.places().home.as_ref();
    let home = home.ok_or_else(|| Failure::usage(anyhow!("there is no place for keys: HOME is not set")))?;
    Ok(home.join(".mcp").join("keys"))
}

/// Returns the file that `--key` means: a name has no slash and no dot.
fn file_of(app: &App, named: &Path) -> Result<PathBuf, Failure> {
    match named.to_str().and_then(|text| text.parse::<PolicyName>().ok()) {
        Some(name) => Ok(folder(app)?.join(format!("{name}.key"))),
        None => app.path(named),
    }
}

/// Returns the only key that there is.
fn only(app: &App) -> Result<PathBuf, Failure> {
    let folder = folder(app)?;
    let names = match authority::names(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        names => {
            names.with_context(|| format!("while looking for keys in {}", folder.display())).map_err(Failure::usage)?
        }
    };
    let mut keys: Vec<_> =
        names.iter().map(Path::new).filter(|name| name.extension() == Some(OsStr::new("key"))).collect();
    keys.sort_unstable();
    match keys.as_slice() {
        [only] => Ok(folder.join(only)),
        [] => Err(Failure::usage(anyhow!(
            "there is no key to sign with in {}\n  make one with `smcp policy sign --new-key NAME`, or name a file with --key",
            folder.display()
        ))),
        several => {
            let names: Vec<_> = several.iter().map(|name| name.with_extension("").display().to_string()).collect();
            Err(Failure::usage(anyhow!("there are several keys: say which with --key ({})", names.join(", "))))
        }
    }
}

/// Reads the file of a secret key, which nobody else may write; that somebody else can read it is said.
fn read_secret(app: &App, file: &Path) -> Result<Vec<u8>, Failure> {
    let Guarded { bytes, suspects } = authority::read_guarded(file, KEY_FILE, Folder::Any, Owners::CallerOrRoot);
    let refused = |why: String| Failure::usage(anyhow!("{}: {why}", file.display()));
    let bytes = bytes.map_err(|error: ReadError| refused(error.to_string()))?;
    if let Some(suspect) = suspects.first() {
        return Err(refused(format!("the key could be somebody else's: {suspect}")));
    }
    let mode = authority::open_file(file).ok().and_then(|file| file.metadata().ok()).map_or(0, |found| found.mode());
    if mode & 0o077 != 0 {
        let file = file.display();
        app.notice(&format!("others on this machine can read the secret key in {file}: `chmod 600 {file}`"));
    }
    Ok(bytes)
}

/// Returns the password that a variable or a file has.
fn given_password(app: &App, file: Option<&Path>) -> Result<Option<Password>, Failure> {
    let text = match file {
        Some(file) => {
            let bytes = app.read_document(file, PASSWORD, limits::START_TIMEOUT_DEFAULT)?;
            Some(String::from_utf8(bytes).context("the password is not UTF-8").map_err(Failure::usage)?)
        }
        None => match app.variable(OsStr::new(PASSWORD_VARIABLE)) {
            Some(value) => {
                let text = value.to_str().ok_or_else(|| Failure::usage(anyhow!("{PASSWORD_VARIABLE} is not UTF-8")))?;
                Some(text.to_owned())
            }
            None => None,
        },
    };
    let password = text.map(|text| Password::new(text.lines().next().unwrap_or_default()));
    if password.as_ref().is_some_and(Password::is_empty) {
        return Err(Failure::usage(anyhow!("the password is empty")));
    }
    Ok(password)
}

/// Returns the password of a key: the one that is given, else the one that a person types.
fn known_password(app: &App, file: Option<&Path>, question: &str) -> Result<Password, Failure> {
    match given_password(app, file)? {
        Some(password) => Ok(password),
        None => asked(app, question),
    }
}

/// Returns a password for a new key. What a person types is asked for twice.
fn new_password(app: &App, file: Option<&Path>) -> Result<Password, Failure> {
    if let Some(password) = given_password(app, file)? {
        return Ok(password);
    }
    let (first, again) = (asked(app, "password for the new key: ")?, asked(app, "the same again: ")?);
    match (first.is_empty(), first == again) {
        (true, _) => {
            Err(Failure::usage(anyhow!("the password is empty; for a key without one there is --no-password")))
        }
        (false, false) => Err(Failure::usage(anyhow!("the two are different; no key was made"))),
        (false, true) => Ok(first),
    }
}

/// Asks at the terminal; nothing that is typed is shown.
fn asked(app: &App, question: &str) -> Result<Password, Failure> {
    if !app.terminals().person() {
        return Err(Failure::usage(anyhow!(
            "the key needs a password, and nobody can be asked for it\n  give it with --password-file, or in \
             {PASSWORD_VARIABLE}"
        )));
    }
    let mut err = app.err();
    let typed = authority::read_unshown(PASSWORD, || write!(err, "{question}").and_then(|()| err.flush()));
    writeln!(err)?;
    let typed = typed.context("while reading the password").map_err(Failure::usage)?;
    Ok(Password::new(&String::from_utf8(typed).context("the password is not UTF-8").map_err(Failure::usage)?))
}
