//! `smcp policy sign`: signs a component or a set, and makes the key for it.

use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::anyhow;
use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::policy::write::write_whole;
use crate::cli::signing_key;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::name::PolicyName;
use smcp_model::text::SafeText;
use smcp_pipeline as pipeline;
use smcp_report::json;
use smcp_report::signing;
use smcp_report::signing::KeyMade;
use smcp_report::signing::Signed;
use smcp_signature::SignatureForm;
use smcp_signature::minisign;
use smcp_signature::secret_key::SecretKey;

/// Sign a component or a policy set, so that a configuration can say who must have signed it.
///
/// Writes FILE.minisig beside it: a minisign signature, which `minisign -V` verifies, too. Keys are in ~/.mcp/keys; a
/// key of minisign's own will do as well. SMCP_SIGNING_KEY may hold the text of a secret key, for a CI, and
/// SMCP_SIGNING_PASSWORD its password.
#[derive(Debug, Args)]
pub(crate) struct SignCommand {
    /// The component, or the archive of a policy set
    #[arg(value_name = "FILE", required_unless_present = "new_key")]
    file: Option<PathBuf>,
    /// The key: its name in ~/.mcp/keys, or a file. Absent: the only one that there is
    #[arg(long, value_name = "NAME|FILE")]
    key: Option<PathBuf>,
    /// Make a new pair of keys of this name in ~/.mcp/keys
    #[arg(long, value_name = "NAME", conflicts_with = "key")]
    new_key: Option<PolicyName>,
    /// Keep the new key without a password: whoever can read its file can sign
    #[arg(long, requires = "new_key")]
    no_password: bool,
    /// A file with the password of the key, on its first line
    #[arg(long, value_name = "FILE", conflicts_with = "no_password")]
    password_file: Option<PathBuf>,
}

/// The most that is read of a component or a set, bytes.
pub(super) const LARGEST: usize = {
    let (component, set) = (PolicyLimits::CEILING.component_size, limits::sets::ARCHIVE);
    if component > set { component } else { set }
};

/// How an archive begins: gzip's magic number.
pub(super) const ARCHIVE: &[u8] = b"\x1f\x8b";

/// Whether these are the bytes of an archive.
pub(super) fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(ARCHIVE)
}

impl SignCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &App) -> Result<Exit, Failure> {
        let Self { file, key, new_key, no_password, password_file } = self;
        // What is to be signed is read first: no password is asked for in vain.
        let component = file.map(|file| ToSign::read(app, file)).transpose()?;
        let password = password_file.as_deref();
        let (key, made) = match &new_key {
            Some(name) => {
                let (key, places) = signing_key::make(app, name, no_password, password)?;
                let made = KeyMade { name: name.clone(), public: key.public(), places, protected: !no_password };
                (key, Some(made))
            }
            None => (signing_key::open(app, key.as_deref(), password)?, None),
        };
        let signed = component.map(|component| component.sign(app, &key)).transpose()?;
        if app.json() {
            json::write(&signing::signed_document(made.as_ref(), signed.as_ref()), &mut app.out())?;
        } else {
            signing::signed(made.as_ref(), signed.as_ref(), &mut app.out(), &app.output_style())?;
        }
        Ok(Exit::SUCCESS)
    }
}

/// A component or a set that is to be signed.
struct ToSign {
    file: PathBuf,
    is_set: bool,
    path: PathBuf,
    bytes: Vec<u8>,
}

impl ToSign {
    fn read(app: &App, file: PathBuf) -> Result<Self, Failure> {
        let path = app.path(&file)?;
        let bytes = app.read_document(&file, LARGEST, limits::START_TIMEOUT_DEFAULT)?;
        let is_set = is_archive(&bytes);
        // Anything could be signed, but a text of the wrong file is more likely a mistake.
        if !is_set && !bytes.starts_with(b"\0asm") {
            return Err(Failure::usage(anyhow!("{} is no WebAssembly, and no archive of a set", file.display())));
        }
        Ok(Self { file, is_set, path, bytes })
    }

    fn sign(self, app: &App, key: &SecretKey) -> Result<Signed, Failure> {
        let Self { file, is_set, path, bytes } = self;
        let name = SafeText::new(&path.file_name().unwrap_or_default().to_string_lossy());
        let comment = format!("timestamp:{}\tfile:{name}\thashed", app.system().now());
        let text = minisign::sign(key, &bytes, &comment);
        let signature = pipeline::beside(&path, SignatureForm::Minisign.suffix());
        write_whole(&signature, None, text.as_bytes())
            .with_context(|| format!("while writing {}", signature.display()))
            .map_err(Failure::usage)?;
        let signature = pipeline::beside(Path::new(&file), SignatureForm::Minisign.suffix());
        Ok(Signed { file, is_set, path, signature, digest: Digest::of(&bytes), key: key.public() })
    }
}
