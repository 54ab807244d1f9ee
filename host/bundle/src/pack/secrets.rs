//! Recognises secrets in a project's folder by their names.
//!
//! Everyone who can reach a registry can read its bundles, and a version never changes: a published secret can't be
//! taken back. The table has only names without another use, so that it seldom refuses an honest bundle.

use std::io;
use std::io::Read as _;

use cap_std::fs::Dir;

use smcp_store::file::open_file;

/// A kind of secret and its names: `*` is any characters, case does not matter.
struct SecretKind {
    names: &'static [&'static str],
    /// Names among them that hold examples.
    harmless: &'static [&'static str],
    why: &'static str,
    check: SecretCheck,
}

/// When a file with such a name is a secret.
#[derive(Clone, Copy)]
enum SecretCheck {
    /// Always.
    Name,
    /// Always in the author's own files; inside a published package only if the file holds one of these words, since
    /// packages ship settings under the same name.
    NameOr(&'static [&'static str]),
    /// In the author's own files, unless the file is certainly public: a text of certificates or public keys, such as
    /// `cacert.pem`. Keys inside published packages belong to their tests, and are public already.
    Key,
    /// In the author's own files, if it is a regular file.
    OwnFile,
}

/// Folders of other authors' packages, which are published already.
const PUBLISHED: [&str; 3] = ["node_modules", "site-packages", "dist-packages"];

/// The most that is read of a file, bytes: a list of all certificate authorities has some 300,000. A longer file does
/// not count as public.
const READ_LIMIT: usize = 2 * 1024 * 1024;

/// The most that is read of a file with any other name, bytes: a private key in PEM says so in its first line.
const FIRST_LINE: usize = 256;

/// Names of code or text files, which are never keys.
const NEVER_KEYS: [&str; 18] = [
    "*.pub", "*.py", "*.pyi", "*.js", "*.mjs", "*.cjs", "*.ts", "*.tsx", "*.json", "*.rs", "*.go", "*.rb", "*.java",
    "*.html", "*.css", "*.md", "*.map", "*.svg",
];

const SECRETS: [SecretKind; 10] = [
    SecretKind {
        names: &[".git", ".hg", ".svn", ".bzr", ".jj", ".gitconfig"],
        harmless: &[],
        why: "the whole history, and addresses that may have tokens in them",
        check: SecretCheck::Name,
    },
    SecretKind {
        names: &[".env", ".env.*", ".env-*", ".env_*", ".env~", "#.env#", "*.env", ".envrc"],
        harmless: &[
            "*.example",
            "*.sample",
            "*.template",
            "*.dist",
            "*.defaults",
            "*-example",
            "*_example",
            "example.env",
            "sample.env",
            "template.env",
        ],
        why: "variables of one machine, passwords and tokens among them",
        check: SecretCheck::Name,
    },
    SecretKind {
        names: &[".npmrc", ".yarnrc", ".yarnrc.yml"],
        harmless: &[],
        why: "settings of a package manager, with its tokens",
        check: SecretCheck::NameOr(&["_auth", "_password", "npmauth"]),
    },
    SecretKind {
        names: &[
            ".pypirc",
            ".netrc",
            "_netrc",
            ".git-credentials",
            ".pgpass",
            ".my.cnf",
            ".dockercfg",
            ".dockerconfigjson",
            ".htpasswd",
            ".vault-token",
            ".terraformrc",
            ".boto",
            ".s3cfg",
        ],
        harmless: &[],
        why: "passwords or tokens for other services",
        check: SecretCheck::Name,
    },
    SecretKind {
        names: &[".ssh", ".gnupg", ".aws", ".azure", ".gcloud", ".kube", ".docker"],
        harmless: &[],
        why: "keys and log-ins of a person",
        check: SecretCheck::Name,
    },
    SecretKind {
        names: &["id_rsa", "id_dsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "*.ppk"],
        harmless: &[],
        why: "a private key for SSH",
        check: SecretCheck::Name,
    },
    SecretKind {
        names: &["id_*"],
        harmless: &NEVER_KEYS,
        why: "a private key for SSH, by its name",
        check: SecretCheck::OwnFile,
    },
    SecretKind {
        names: &["*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.p8"],
        harmless: &[],
        why: "a private key, or what may be one",
        check: SecretCheck::Key,
    },
    SecretKind {
        names: &[
            "credentials.json",
            "client_secret*.json",
            "service-account*.json",
            "service_account*.json",
            "application_default_credentials.json",
            "secrets.json",
            "secrets.yaml",
            "secrets.yml",
            "secrets.toml",
            "*.tfstate",
            "*.tfstate.backup",
            "*.kdbx",
            "credentials.db",
            "access_tokens.db",
            "legacy_credentials",
        ],
        harmless: &[],
        why: "secrets, by its name",
        check: SecretCheck::Name,
    },
    SecretKind {
        names: &[".bash_history", ".zsh_history", ".python_history", ".node_repl_history", ".psql_history"],
        harmless: &[],
        why: "what somebody has typed",
        check: SecretCheck::Name,
    },
];

/// Returns why something counts as a secret; `None` when it doesn't. `above` are the folders around it. Only a regular
/// file is read.
///
/// # Errors
/// When a file that has to be examined can't be read.
pub(super) fn secret(dir: &Dir, above: &[&str], name: &str, is_file: bool) -> io::Result<Option<&'static str>> {
    let lower = name.to_ascii_lowercase();
    let is = |pattern: &&str| fits(pattern, &lower);
    // A file directly in such a folder belongs to the project, not to a package.
    let published = above.split_last().is_some_and(|(_, above)| above.iter().any(|folder| PUBLISHED.contains(folder)));
    let known = SECRETS.iter().find(|secret| secret.names.iter().any(is) && !secret.harmless.iter().any(is));
    let Some(SecretKind { why, check, .. }) = known else {
        let is_key = !published && is_file && holds(dir, name, FIRST_LINE, begins_a_key)?;
        return Ok(is_key.then_some("a private key"));
    };
    let found = match (check, published) {
        (SecretCheck::Name, _) | (SecretCheck::NameOr(_), false) => true,
        (SecretCheck::NameOr(words), true) => {
            is_file
                && holds(dir, name, READ_LIMIT, |text| {
                    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
                    words.iter().any(|word| text.contains(word))
                })?
        }
        (SecretCheck::Key | SecretCheck::OwnFile, true) => false,
        (SecretCheck::Key, false) => is_file && !holds(dir, name, READ_LIMIT.saturating_add(1), is_public)?,
        (SecretCheck::OwnFile, false) => is_file,
    };
    Ok(found.then_some(*why))
}

/// Whether a pattern with at most one `*` fits a name.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((begin, end)) => {
            name.len() >= begin.len().saturating_add(end.len()) && name.starts_with(begin) && name.ends_with(end)
        }
    }
}

/// Whether `judge` accepts the first `most` bytes of a file.
fn holds(dir: &Dir, name: &str, most: usize, judge: impl FnOnce(&[u8]) -> bool) -> io::Result<bool> {
    let Some(file) = open_file(dir, name)? else { return Ok(false) };
    let mut text = Vec::new();
    file.take(u64::try_from(most).unwrap_or(u64::MAX)).read_to_end(&mut text)?;
    Ok(judge(&text))
}

/// Whether a whole file holds certificates or public keys, and no private key.
fn is_public(text: &[u8]) -> bool {
    text.len() <= READ_LIMIT
        && [&b"BEGIN CERTIFICATE"[..], b"BEGIN TRUSTED CERTIFICATE", b"BEGIN PUBLIC KEY", b"BEGIN RSA PUBLIC KEY"]
            .iter()
            .any(|public| has(text, public))
        && !has(text, KEY)
}

/// Whether a text begins as a private key in PEM does.
fn begins_a_key(text: &[u8]) -> bool {
    let line = text.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.starts_with(b"-----BEGIN ") && has(line, KEY)
}

fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|found| found == part)
}

/// The words in the first line of every private key in PEM, including OpenSSH's and PGP's.
const KEY: &[u8] = b"PRIVATE KEY";

#[cfg(test)]
mod tests {
    use super::*;
    use smcp_bed::Bed;

    const PEM: &str = "-----BEGIN EC PRIVATE KEY-----\nMHc=\n-----END EC PRIVATE KEY-----\n";
    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n";

    #[test]
    fn secrets_are_known_by_their_names_and_keys_by_what_they_hold() {
        // folder, name, contents, whether it is a secret
        let cases = [
            ("", ".env", "", true),
            ("", ".ENV", "", true),
            ("", ".env.production", "", true),
            ("", ".env.local", "", true),
            ("", ".envrc", "", true),
            ("", ".env.example", "", false),
            ("", ".env.local.sample", "", false),
            ("", ".environment", "", false),
            ("", "env.py", "", false),
            ("", ".git", "gitdir: /x", true),
            ("", ".gitignore", "", false),
            ("", ".github", "", false),
            ("", ".npmrc", "registry=x", true),
            ("node_modules/x", ".npmrc", "package-lock=false", false),
            ("node_modules/x", ".npmrc", "//r.example/:_authToken=x", true),
            ("node_modules/x", ".env", "", true),
            ("", "id_ed25519", "", true),
            ("", "id_ed25519.pub", "", false),
            ("", "cacert.pem", CERTIFICATE, false),
            ("lib/certifi", "cacert.pem", CERTIFICATE, false),
            ("", "server.pem", PEM, true),
            ("", "Server.KEY", PEM, true),
            ("", "chain.pem", &format!("{CERTIFICATE}{PEM}"), true),
            ("", "public.key", "-----BEGIN PUBLIC KEY-----", false),
            ("", "x.p12", "0\u{1}", true),
            ("", "server.key", "s", true),
            ("", "KEY.PEM", "", true),
            ("", "a.jks", "", true),
            ("", "late.pem", &format!("{}{PEM}", "#".repeat(READ_LIMIT)), true),
            ("", "id_deploy", "", true),
            ("", "id_rsa.bak", "", true),
            ("", "id_token.py", "", false),
            ("node_modules/x", "id_map", "", false),
            ("", "deploy_key", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", true),
            ("", "backup.asc", "\n-----BEGIN PGP PRIVATE KEY BLOCK-----\n", true),
            ("", "signature.asc", "-----BEGIN PGP SIGNATURE-----\n", false),
            ("node_modules", "k.pem", PEM, true),
            ("", ".env~", "", true),
            ("", "prod.env", "", true),
            ("", "example.env", "", false),
            ("", ".gitconfig", "", true),
            ("lib/python3/site-packages/tornado/test", "test.key", PEM, false),
            ("node_modules/public-encrypt/test", "1.pem", PEM, false),
            ("", "Credentials.json", "{}", true),
            ("", "client_secret_12.json", "{}", true),
            ("", "credentials.js", "", false),
            ("", "secrets.py", "", false),
            ("", "keys.json", "", false),
        ];
        for (folder, name, contents, expected) in cases {
            let bed = Bed::with([]);
            let dir = bed.source("source", &[(name, contents)]);
            let above: Vec<&str> = folder.split('/').collect();
            assert_eq!(secret(&dir, &above, name, true).unwrap().is_some(), expected, "{folder}/{name}: {contents}");
        }
        let bed = Bed::with([]);
        let dir = bed.source("source", &[]);
        dir.symlink_contents("/etc/passwd", "outside.pem").unwrap();
        assert_eq!(secret(&dir, &[], "outside.pem", false).unwrap(), None, "a link is not followed");
    }
}
