//! Who is asked for a component: a registry of images, or the server of a file.

use std::fmt;

use crate::Session;
use crate::session::access;
use smcp_http::HttpClient;
use smcp_http::RemoteServer;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::oci::OciReference;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySpec;
use smcp_model::registry::RegistryUrl;
use smcp_model::source::RemoteAddress;
use smcp_oci::FetchedManifest;
use smcp_oci::LogInProblem;
use smcp_oci::OciClient;
use smcp_oci::OciError;

/// A component that has just arrived.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) component: Vec<u8>,
    /// Its digest.
    pub(crate) digest: Digest,
    /// The manifests that led to it, the one that was asked for first.
    pub(crate) manifests: Vec<FetchedManifest>,
    /// Whether its bytes were sent, and not known already.
    pub(crate) sent: bool,
}

/// Answers for sources.
pub(crate) trait SourceServer: fmt::Debug {
    /// Fetches a component. What `known` has is not sent again.
    fn fetch(
        &self,
        address: &RemoteAddress,
        spec: &PolicySpec,
        known: &dyn Fn(&Digest) -> Option<Vec<u8>>,
        deadline: &Deadline,
    ) -> Result<Arrived, OciError>;
}

/// The servers themselves. A client is made for each question, so that nothing is set up before one is asked.
#[derive(Debug)]
pub(crate) struct RemoteServers<'s>(pub(crate) &'s Session);

impl SourceServer for RemoteServers<'_> {
    fn fetch(
        &self,
        address: &RemoteAddress,
        spec: &PolicySpec,
        known: &dyn Fn(&Digest) -> Option<Vec<u8>>,
        deadline: &Deadline,
    ) -> Result<Arrived, OciError> {
        let limit = spec.limits.component_size;
        match address {
            RemoteAddress::Oci(reference) => {
                fetch_artefact(&self.client(reference, spec.layer), reference, limit, known, deadline)
            }
            RemoteAddress::Url(url) => self.fetch_file(url, spec.layer, limit, deadline),
        }
    }
}

impl<'s> RemoteServers<'s> {
    /// A client for the repository of a reference, on behalf of a layer.
    pub(crate) fn client(&self, reference: &OciReference, layer: LayerName) -> OciClient<'s> {
        let Self(session) = *self;
        let repository = reference.repository();
        let host = repository.host().clone();
        let find_log_in = Box::new(move || access::log_in_for(session, &host));
        OciClient::new(repository, access::settings_of_source(session, layer), find_log_in)
    }

    fn fetch_file(
        &self,
        url: &RegistryUrl,
        layer: LayerName,
        limit: usize,
        deadline: &Deadline,
    ) -> Result<Arrived, OciError> {
        let Self(session) = self;
        let unusable = |error: crate::PipelineError| OciError::LogIn {
            host: url.endpoint().to_string(),
            problem: LogInProblem::new(&error.to_string(), "log in again, or log out"),
        };
        let token = access::stored_token(session, url.endpoint()).map_err(unusable)?;
        let server = RemoteServer { noun: "server", url: url.clone() };
        let client = HttpClient::new(server, access::settings_of_source(session, layer));
        let component = smcp_oci::get_file(&client, token.as_ref(), limit, deadline)?;
        Ok(Arrived { digest: Digest::of(&component), component, manifests: Vec::new(), sent: true })
    }
}

fn fetch_artefact(
    client: &OciClient<'_>,
    reference: &OciReference,
    limit: usize,
    known: &dyn Fn(&Digest) -> Option<Vec<u8>>,
    deadline: &Deadline,
) -> Result<Arrived, OciError> {
    let found = client.component_manifest(reference, deadline)?;
    let digest = found.layer.digest;
    let (component, sent) = match known(&digest) {
        Some(component) => (component, false),
        None => (client.blob(&found.layer, limit, &format!("the component of {reference}"), deadline)?, true),
    };
    let manifests = found.index.into_iter().chain([found.manifest]).collect();
    Ok(Arrived { component, digest, manifests, sent })
}
