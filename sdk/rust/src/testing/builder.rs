//! Builds requests for tests: a fact is unknown unless the test gives it.

use crate::request;
use crate::request::Entrypoint;
use crate::request::Origin;
use crate::request::Permissions;
use crate::request::SeverityCounts;

/// Builds a request for `acme/tool@1.0.0` about which nothing else is known.
#[derive(Debug, Clone)]
pub struct RequestBuilder(request::Request);

impl Default for RequestBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl RequestBuilder {
    /// A request about which nothing is known but the package's name.
    #[must_use]
    pub fn new() -> Self {
        let mut request = request::Request::default();
        request.subject.org = "acme".to_owned();
        request.subject.name = "tool".to_owned();
        request.subject.version = "1.0.0".to_owned();
        request.context.tool_version = env!("CARGO_PKG_VERSION").to_owned();
        Self(request)
    }

    /// The request.
    #[must_use]
    pub fn build(self) -> request::Request {
        self.0
    }

    /// The kind of publisher, in the registry's word.
    #[must_use]
    pub fn origin(mut self, word: &str) -> Self {
        self.0.subject.origin = Origin::from_word(word);
        self
    }

    /// Its certification level.
    #[must_use]
    pub fn cert_level(mut self, level: u8) -> Self {
        self.0.subject.cert_level = Some(level);
        self
    }

    /// Its security score.
    #[must_use]
    pub fn score(mut self, score: u8) -> Self {
        self.0.subject.score = Some(score);
        self
    }

    /// The findings of the analysis, by severity.
    #[must_use]
    pub fn findings(mut self, findings: SeverityCounts) -> Self {
        self.0.subject.findings = Some(findings);
        self
    }

    /// The command that would be started.
    #[must_use]
    pub fn entrypoint(mut self, command: &str, args: &[&str]) -> Self {
        let args = args.iter().map(|&arg| arg.to_owned()).collect();
        self.0.subject.entrypoint = Some(Entrypoint { command: command.to_owned(), args });
        self
    }

    /// The permissions that the manifest asks for.
    #[must_use]
    pub fn permissions(mut self, permissions: Permissions) -> Self {
        self.0.subject.permissions = Some(permissions);
        self
    }

    /// The time of the evaluation, as in case files: RFC 3339 (`2026-01-05T09:00:00+01:00`), or a date, which means
    /// midnight UTC.
    ///
    /// # Panics
    /// When the text is neither.
    #[must_use]
    #[track_caller]
    #[expect(clippy::panic, reason = "a test with a wrong time fails")]
    pub fn at(mut self, moment: &str) -> Self {
        match smcp_policy_cases::moment(moment) {
            Some(seconds) => self.0.context.evaluated_at = seconds,
            None => panic!("`{moment}` is no time such as 2026-01-05T09:00:00Z, and no date"),
        }
        self
    }

    /// Whether the caller passed `--trust`.
    #[must_use]
    pub fn trust(mut self, trust: bool) -> Self {
        self.0.context.trust = trust;
        self
    }

    /// Whether a person can be asked.
    #[must_use]
    pub fn interactive(mut self, interactive: bool) -> Self {
        self.0.context.interactive = interactive;
        self
    }

    /// One more fact, for which the interface has no field, such as `start.fetches`.
    #[must_use]
    pub fn extension(mut self, name: &str, value: &str) -> Self {
        self.0.extensions.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The package's owner, name and version.
    #[must_use]
    pub fn package(mut self, org: &str, name: &str, version: &str) -> Self {
        let subject = &mut self.0.subject;
        (subject.org, subject.name, subject.version) = (org.to_owned(), name.to_owned(), version.to_owned());
        self
    }

    /// The manifest's text.
    #[must_use]
    pub fn manifest(mut self, text: &str) -> Self {
        self.0.subject.manifest = Some(text.to_owned());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_what_the_test_says_and_otherwise_unknown() {
        let built =
            RequestBuilder::new().package("a", "b", "2.0.0").at("1970-01-02T00:00:01Z").trust(true).interactive(true);
        let request::Request { subject, context, extensions } = built.extension("x", "y").manifest("{}").build();
        assert_eq!((subject.org.as_str(), subject.name.as_str(), subject.version.as_str()), ("a", "b", "2.0.0"));
        assert_eq!((context.evaluated_at, context.trust, context.interactive), (86_401, true, true));
        assert_eq!((extensions, subject.manifest.as_deref()), (vec![("x".to_owned(), "y".to_owned())], Some("{}")));
        assert_eq!((subject.origin, subject.score, subject.permissions), (None, None, None));
    }
}
