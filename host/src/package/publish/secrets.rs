//! Names under which secrets lie in a project's folder.
//!
//! Whoever reaches a registry reads its bundles, and a version never changes: what was published once can't be taken
//! back. The table is about names that have no other use, so that an honest bundle meets it seldom.

use std::io;
use std::io::Read as _;

use cap_std::fs::Dir;

use crate::package::blobs::open_file;

/// A kind of secret, and the names of it: `*` stands for any characters, case does not matter.
struct Secret {
    names: &'static [&'static str],
    /// Names among them that hold examples.
    harmless: &'static [&'static str],
    why: &'static str,
    check: Check,
}

/// What makes something of such a name a secret.
#[derive(Clone, Copy)]
enum Check {
    /// The name alone.
    Name,
    /// The name; inside of somebody else's published package only if the file holds one of these words: packages ship
    /// settings under the same name.
    NameOr(&'static [&'static str]),
    /// A private key in the file. `cacert.pem` is a list of authorities and lies in many bundles. The keys inside of
    /// published packages are those of their tests, and known to everybody.
    PrivateKey,
}

/// Folders that hold packages of others, published already.
const PUBLISHED: [&str; 3] = ["node_modules", "site-packages", "dist-packages"];

/// How much of a file is looked at: keys and tokens stand in small files, bytes.
const LOOKED_AT: u64 = 256 * 1024;

const SECRETS: [Secret; 9] = [
    Secret {
        names: &[".git", ".hg", ".svn", ".bzr", ".jj"],
        harmless: &[],
        why: "the whole history, and addresses that may have tokens in them",
        check: Check::Name,
    },
    Secret {
        names: &[".env", ".env.*", ".env-*", ".env_*", ".envrc"],
        harmless: &["*.example", "*.sample", "*.template", "*.dist", "*.defaults", "*-example", "*_example"],
        why: "variables of one machine, passwords and tokens among them",
        check: Check::Name,
    },
    Secret {
        names: &[".npmrc", ".yarnrc", ".yarnrc.yml"],
        harmless: &[],
        why: "settings of a package manager, with its tokens",
        check: Check::NameOr(&["_auth", "_password", "npmauth"]),
    },
    Secret {
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
        check: Check::Name,
    },
    Secret {
        names: &[".ssh", ".gnupg", ".aws", ".azure", ".gcloud", ".kube", ".docker"],
        harmless: &[],
        why: "keys and log-ins of a person",
        check: Check::Name,
    },
    Secret {
        names: &["id_rsa", "id_dsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "*.ppk"],
        harmless: &[],
        why: "a private key for SSH",
        check: Check::Name,
    },
    Secret {
        names: &["*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.p8"],
        harmless: &[],
        why: "a private key",
        check: Check::PrivateKey,
    },
    Secret {
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
        ],
        harmless: &[],
        why: "secrets, by its name",
        check: Check::Name,
    },
    Secret {
        names: &[".bash_history", ".zsh_history", ".python_history", ".node_repl_history", ".psql_history"],
        harmless: &[],
        why: "what somebody has typed",
        check: Check::Name,
    },
];

/// Why something is taken for a secret; `None` when it isn't. `above` are the folders it lies in. Only a regular file is
/// looked into.
///
/// # Errors
/// When a file that has to be looked into can't be read.
pub(super) fn secret(dir: &Dir, above: &[&str], name: &str, is_file: bool) -> io::Result<Option<&'static str>> {
    let lower = name.to_ascii_lowercase();
    let is = |pattern: &&str| fits(pattern, &lower);
    let known = SECRETS.iter().find(|secret| secret.names.iter().any(is) && !secret.harmless.iter().any(is));
    let Some(Secret { why, check, .. }) = known else { return Ok(None) };
    let published = above.iter().any(|folder| PUBLISHED.contains(folder));
    let found = match (check, published) {
        (Check::Name, _) | (Check::NameOr(_), false) => true,
        (Check::NameOr(words), true) => {
            is_file
                && holds(dir, name, |text| {
                    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
                    words.iter().any(|word| text.contains(word))
                })?
        }
        (Check::PrivateKey, true) => false,
        (Check::PrivateKey, false) => is_file && holds(dir, name, is_private_key)?,
    };
    Ok(found.then_some(*why))
}

/// Whether a name is what a pattern with one `*` at most means.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((begin, end)) => {
            name.len() >= begin.len().saturating_add(end.len()) && name.starts_with(begin) && name.ends_with(end)
        }
    }
}

fn holds(dir: &Dir, name: &str, judge: impl FnOnce(&[u8]) -> bool) -> io::Result<bool> {
    let Some(file) = open_file(dir, name)? else { return Ok(false) };
    let mut text = Vec::new();
    file.take(LOOKED_AT).read_to_end(&mut text)?;
    Ok(judge(&text))
}

/// A key as text, or a container of keys: a DER sequence (PKCS #8 and #12, PKCS #1), or a Java key store.
fn is_private_key(text: &[u8]) -> bool {
    let as_text = text.windows(KEY.len()).any(|part| part == KEY);
    as_text || text.starts_with(&[0x30, 0x82]) || text.starts_with(&[0xfe, 0xed, 0xfe, 0xed])
}

/// How every kind of private key in PEM is announced.
const KEY: &[u8] = b"PRIVATE KEY-----";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::testing::Bed;

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
            ("", "x.p12", "0\u{1}", false),
            ("lib/python3/site-packages/tornado/test", "test.key", PEM, false),
            ("node_modules/public-encrypt/test", "1.pem", PEM, false),
            ("", "Credentials.json", "{}", true),
            ("", "client_secret_12.json", "{}", true),
            ("", "credentials.js", "", false),
            ("", "secrets.py", "", false),
            ("", "keys.json", "", false),
        ];
        for (folder, name, contents, expected) in cases {
            let bed = Bed::new();
            let dir = bed.source("source", &[(name, contents)]);
            let above: Vec<&str> = folder.split('/').collect();
            assert_eq!(secret(&dir, &above, name, true).unwrap().is_some(), expected, "{folder}/{name}: {contents}");
        }
        let bed = Bed::new();
        let dir = bed.source("source", &[]);
        dir.symlink_contents("/etc/passwd", "outside.pem").unwrap();
        assert_eq!(secret(&dir, &[], "outside.pem", false).unwrap(), None, "a link is not followed");
        for (der, expected) in [(&b"\x30\x82\x04\xbe"[..], true), (b"\xfe\xed\xfe\xed\0", true), (b"PK\x03\x04", false)]
        {
            assert_eq!(is_private_key(der), expected, "{der:?}");
        }
    }
}
