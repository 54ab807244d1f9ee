//! What the registries behind a URL have in common: how their answers are read.

use std::io::Read;

use crate::Artifact;
use crate::error::PackageError;
use crate::error::RegistryProblem;
use smcp_http::HttpAnswer;
use smcp_http::HttpClient;
use smcp_http::HttpOutcome;
use smcp_http::HttpProblem;
use smcp_http::HttpSettings;
use smcp_http::RemoteServer;
use smcp_http::begins_a_page;
use smcp_model::bounded;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::name::PackageId;
use smcp_model::registry::Registry;
use smcp_model::registry::RegistryUrl;
use smcp_store::stream::recover;

/// The kind of server, for messages.
const NOUN: &str = "registry";

/// A registry that is asked over HTTP. Before the first request it neither connects nor reads certificates.
#[derive(Debug)]
pub(crate) struct AskedRegistry {
    pub(crate) location: Registry,
    pub(crate) client: HttpClient,
}

impl AskedRegistry {
    pub(crate) fn new(location: Registry, url: RegistryUrl, settings: HttpSettings) -> Self {
        Self { location, client: HttpClient::new(RemoteServer { noun: NOUN, url }, settings) }
    }

    /// Reads the body of an answer; `None` when it has more than `limit` bytes. One whose header says so is not read at all.
    pub(crate) fn body(
        &self,
        answer: HttpAnswer,
        limit: usize,
        deadline: &Deadline,
    ) -> Result<Option<Vec<u8>>, PackageError> {
        if answer.length().is_some_and(|length| !usize::try_from(length).is_ok_and(|length| length <= limit)) {
            return Ok(None);
        }
        let unusable = |cause| RegistryProblem::Unusable { doing: "read its answer".to_owned(), cause };
        bounded::read_within(answer.body(deadline), limit, 0)
            .map_err(|error| recover(error, |cause| unusable(cause).of(&self.location)))
    }

    /// Reads the body of an answer that is a document. A web page is none.
    pub(crate) fn document(
        &self,
        answer: HttpAnswer,
        limit: usize,
        deadline: &Deadline,
    ) -> Result<Option<Vec<u8>>, PackageError> {
        let bytes = self.body(answer, limit, deadline)?;
        if bytes.as_deref().is_some_and(begins_a_page) {
            return Err(self.client.failed(HttpProblem::WebPage { noun: NOUN }).into());
        }
        Ok(bytes)
    }

    /// Opens the file of an answer.
    pub(crate) fn file(
        &self,
        outcome: HttpOutcome,
        (id, artifact, digest): (&PackageId, Artifact, &Digest),
        deadline: &Deadline,
    ) -> Result<Box<dyn Read>, PackageError> {
        let HttpOutcome::Found(answer) = outcome else { return Err(self.no_file(artifact, digest)) };
        artifact.check_length(answer.length(), id)?;
        Ok(Box::new(answer.body(deadline)))
    }

    /// The error about a file that the registry names and does not have.
    pub(crate) fn no_file(&self, artifact: Artifact, digest: &Digest) -> PackageError {
        RegistryProblem::MissingBlob { artifact, digest: *digest }.of(&self.location)
    }

    /// The error about a server that does not answer as a registry at `path`.
    pub(crate) fn other_service(&self, path: &'static str) -> PackageError {
        self.client.failed(HttpProblem::OtherService { noun: NOUN, path }).into()
    }
}
