//! The file in which docker and its like keep log-ins: `~/.docker/config.json`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::error::LogInProblem;
use smcp_model::log_in::LogIn;
use smcp_model::oci::OciHost;
use smcp_model::secret::Secret;

/// How docker names its own registry in the file.
const DOCKER_HUB: (&str, &str) = ("docker.io", "https://index.docker.io/v1/");

/// What the file says of log-ins; the rest of it is docker's.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DockerConfig {
    #[serde(default)]
    auths: BTreeMap<String, DockerEntry>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

impl std::fmt::Debug for DockerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DockerConfig").field("hosts", &self.auths.keys()).finish_non_exhaustive()
    }
}

#[derive(Default, Deserialize)]
struct DockerEntry {
    #[serde(default)]
    auth: String,
    #[serde(default)]
    identitytoken: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

/// Where the log-in for a host is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DockerLogIn {
    /// In the file.
    Kept(LogIn),
    /// A program has it: `docker-credential-NAME`.
    Helper {
        /// The NAME.
        name: String,
        /// What it knows the host by.
        server: String,
    },
}

impl DockerConfig {
    /// Reads the file. Messages never quote it.
    ///
    /// # Errors
    /// When it is not what docker writes.
    pub fn read(bytes: &[u8]) -> Result<Self, LogInProblem> {
        serde_json::from_slice(bytes).map_err(|error| {
            let place = format!("it is no file of docker's: line {}, column {}", error.line(), error.column());
            LogInProblem::new(&place, "repair it, or log in again with docker login")
        })
    }

    /// Finds the log-in for a host: a helper for this host, the helper for all, the file itself, in this order.
    ///
    /// # Errors
    /// When what the file has for the host can't be used.
    pub fn find(&self, host: &OciHost) -> Result<Vec<DockerLogIn>, LogInProblem> {
        let authority = host.authority();
        let is_host = |key: &str| {
            let bare = key.split_once("://").map_or(key, |(_, rest)| rest).split('/').next().unwrap_or_default();
            bare.eq_ignore_ascii_case(&authority) || authority == DOCKER_HUB.0 && key == DOCKER_HUB.1
        };
        let kept = self.auths.iter().find(|(key, _)| is_host(key));
        let known_as = kept.map_or_else(
            || if authority == DOCKER_HUB.0 { DOCKER_HUB.1.to_owned() } else { authority.clone() },
            |(key, _)| key.clone(),
        );
        let for_host = self.cred_helpers.iter().find(|(key, _)| is_host(key));
        if let Some((server, name)) = for_host {
            return Ok(vec![helper(name, server)?]);
        }
        let mut found = Vec::new();
        if let Some(name) = self.creds_store.as_ref().filter(|name| !name.is_empty()) {
            found.push(helper(name, &known_as)?);
        }
        if let Some(log_in) = kept.map(|(_, entry)| entry.log_in()).transpose()?.flatten() {
            found.push(DockerLogIn::Kept(log_in));
        }
        Ok(found)
    }
}

/// The program of a helper; its name comes from the file, and must not become a path.
fn helper(name: &str, server: &str) -> Result<DockerLogIn, LogInProblem> {
    let is_name = name.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter));
    if name.is_empty() || name.len() > 64 || name.starts_with(['-', '.']) || !is_name {
        return Err(LogInProblem::new(
            "the name of its credential helper is none",
            "a helper is named by letters, digits, hyphens, dots and underscores",
        ));
    }
    Ok(DockerLogIn::Helper { name: name.to_owned(), server: server.to_owned() })
}

impl DockerEntry {
    /// The log-in; `None` for an entry that says nothing, as helpers leave one.
    fn log_in(&self) -> Result<Option<LogIn>, LogInProblem> {
        let unusable = || {
            LogInProblem::new("what docker's file has for it is no log-in", "log in again: docker login, or smcp login")
        };
        if !self.identitytoken.is_empty() {
            return Secret::new(&self.identitytoken).map(|token| Some(LogIn::Refresh(token))).map_err(|_| unusable());
        }
        let (user, password) = if self.auth.is_empty() {
            (self.username.clone(), self.password.clone())
        } else {
            let decoded = STANDARD.decode(&self.auth).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let decoded = decoded.ok_or_else(unusable)?;
            let (user, password) = decoded.split_once(':').ok_or_else(unusable)?;
            (user.to_owned(), password.trim_end_matches('\0').to_owned())
        };
        if user.is_empty() && password.is_empty() {
            return Ok(None);
        }
        let password = Secret::new(&password).map_err(|_| unusable())?;
        Ok(Some(LogIn::Password { user, password }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(user: &str, password: &str) -> DockerLogIn {
        DockerLogIn::Kept(LogIn::Password { user: user.to_owned(), password: Secret::new(password).unwrap() })
    }

    fn by_helper(name: &str, server: &str) -> DockerLogIn {
        DockerLogIn::Helper { name: name.to_owned(), server: server.to_owned() }
    }

    #[test]
    fn a_log_in_is_found_where_docker_would_find_it() {
        let file = r#"{"auths": {
            "r.example": {"auth": "bWU6aHVudGVyMg=="},
            "https://old.example/v1/": {"username": "me", "password": "hunter2"},
            "https://index.docker.io/v1/": {"auth": "bWU6aHVudGVyMg=="},
            "id.example": {"auth": "bWU6eA==", "identitytoken": "refresh"},
            "empty.example": {},
            "bad.example": {"auth": "!!"}, "odd.example": {"auth": "bWU="}
          }, "credHelpers": {"h.example": "cloud", "evil.example": "../../bin/sh"}, "HttpHeaders": {}}"#;
        let config = DockerConfig::read(file.as_bytes()).unwrap();
        let find = |host: &str| config.find(&OciHost::new(host).unwrap());
        assert_eq!(find("r.example"), Ok(vec![password("me", "hunter2")]));
        assert_eq!(find("old.example"), Ok(vec![password("me", "hunter2")]));
        assert_eq!(find("docker.io"), Ok(vec![password("me", "hunter2")]));
        assert_eq!(find("id.example"), Ok(vec![DockerLogIn::Kept(LogIn::Refresh(Secret::new("refresh").unwrap()))]));
        assert_eq!(find("h.example"), Ok(vec![by_helper("cloud", "h.example")]));
        for nobody in ["other.example", "r.example:5000", "example", "empty.example", "a.r.example"] {
            assert_eq!(find(nobody), Ok(vec![]), "{nobody}");
        }
        for wrong in ["evil.example", "bad.example", "odd.example"] {
            let message = find(wrong).unwrap_err().to_string();
            assert!(!message.contains("bWU") && message.contains("\n  "), "{wrong}: {message}");
        }
    }

    #[test]
    fn a_helper_for_all_comes_before_the_file() {
        let file = br#"{"auths": {"https://r.example": {"auth": "bWU6aHVudGVyMg=="}}, "credsStore": "desktop"}"#;
        let config = DockerConfig::read(file).unwrap();
        let find = |host: &str| config.find(&OciHost::new(host).unwrap()).unwrap();
        assert_eq!(find("r.example"), [by_helper("desktop", "https://r.example"), password("me", "hunter2")]);
        assert_eq!(find("other.example"), [by_helper("desktop", "other.example")]);
    }

    #[test]
    fn a_file_that_is_none_is_not_quoted() {
        for text in ["hunter2", r#"{"auths": ["hunter2"]}"#, r#"{"credsStore": ["hunter2"]}"#, ""] {
            let message = DockerConfig::read(text.as_bytes()).unwrap_err().to_string();
            assert!(message.contains("line 1") && !message.contains("hunter2") || text.is_empty(), "{message}");
        }
    }
}
