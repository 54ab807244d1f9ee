//! Who is asked for a component: a registry of images, or the server of a file.

use std::fmt;

use crate::Session;
use crate::session::access;
use smcp_http::HttpClient;
use smcp_http::RemoteServer;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::oci::OciReference;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySpec;
use smcp_model::registry::RegistryUrl;
use smcp_model::source::RemoteAddress;
use smcp_model::text::SafeText;
use smcp_oci::FetchedManifest;
use smcp_oci::LogInProblem;
use smcp_oci::OciClient;
use smcp_oci::OciError;
use smcp_oci::Referrer;
use smcp_oci::package::MINISIGN;
use smcp_oci::package::SIGSTORE_BUNDLE;
use smcp_signature::SignatureDocument;
use smcp_signature::SignatureForm;

/// A component that has just arrived.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) component: Vec<u8>,
    /// Its digest.
    pub(crate) digest: Digest,
    /// The manifests that led to it, the one that was asked for first.
    pub(crate) manifests: Vec<FetchedManifest>,
    /// The signatures that are there, when somebody must have signed it.
    pub(crate) signatures: Vec<SignatureDocument>,
    /// Whether its bytes were sent, and not known already.
    pub(crate) sent: bool,
}

/// Answers for sources.
pub(crate) trait SourceServer: fmt::Debug {
    /// Fetches a component, and its signatures of these forms. What `known` has is not sent again.
    fn fetch(
        &self,
        address: &RemoteAddress,
        spec: &PolicySpec,
        forms: &[SignatureForm],
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
        forms: &[SignatureForm],
        known: &dyn Fn(&Digest) -> Option<Vec<u8>>,
        deadline: &Deadline,
    ) -> Result<Arrived, OciError> {
        let limit = spec.limits.component_size;
        match address {
            RemoteAddress::Oci(reference) => {
                let client = self.client(reference, spec.layer);
                let mut arrived = fetch_artefact(&client, reference, limit, known, deadline)?;
                arrived.signatures = signatures_of(&client, &arrived.manifests, forms, deadline)?;
                Ok(arrived)
            }
            RemoteAddress::Url(url) => {
                let component = self.fetch_file(url, spec.layer, limit, deadline)?;
                let signatures = self.signatures_beside(url, forms, spec.layer, deadline)?;
                let digest = Digest::of(&component);
                Ok(Arrived { digest, component, manifests: Vec::new(), signatures, sent: true })
            }
        }
    }
}

impl<'s> RemoteServers<'s> {
    /// A client for the repository of a reference, on behalf of a layer.
    pub(crate) fn client(&self, reference: &OciReference, layer: LayerName) -> OciClient<'s> {
        let Self(session) = *self;
        let repository = reference.repository();
        let host = repository.host().clone();
        let find_log_in = Box::new(move || access::log_in_for(session.system(), &host));
        OciClient::new(repository, access::settings_of_source(session, layer), find_log_in)
    }

    /// Gets the file at a URL, on behalf of a layer.
    pub(crate) fn fetch_file(
        &self,
        url: &RegistryUrl,
        layer: LayerName,
        limit: usize,
        deadline: &Deadline,
    ) -> Result<Vec<u8>, OciError> {
        let Self(session) = self;
        let unusable = |error: crate::PipelineError| OciError::LogIn {
            host: url.endpoint().to_string(),
            problem: LogInProblem::new(&error.to_string(), "log in again, or log out"),
        };
        let token = access::stored_token(session, url.endpoint()).map_err(unusable)?;
        let server = RemoteServer { noun: "server", url: url.clone() };
        let client = HttpClient::new(server, access::settings_of_source(session, layer));
        smcp_oci::get_file(&client, token.as_ref(), limit, deadline)
    }

    /// Gets the signatures of these forms that lie beside a file that came.
    pub(super) fn signatures_beside(
        &self,
        url: &RegistryUrl,
        forms: &[SignatureForm],
        layer: LayerName,
        deadline: &Deadline,
    ) -> Result<Vec<SignatureDocument>, OciError> {
        let beside = forms.iter().map(|form| self.signature_beside(url, *form, layer, deadline));
        beside.filter_map(Result::transpose).collect()
    }

    /// Gets the signature of one form that lies beside a file that came; `None` when there is none. A store of files that lets
    /// nobody list them says of one that is not there that it is not to be read.
    fn signature_beside(
        &self,
        url: &RegistryUrl,
        form: SignatureForm,
        layer: LayerName,
        deadline: &Deadline,
    ) -> Result<Option<SignatureDocument>, OciError> {
        let Some(beside) = url.beside(form.suffix()) else { return Ok(None) };
        match self.fetch_file(&beside, layer, form.most(), deadline) {
            Ok(content) => Ok(Some(signature(form, content))),
            Err(OciError::Missing { .. } | OciError::Denied { .. }) => Ok(None),
            Err(error) if error.is_wrong() => Ok(Some(signature(form, Vec::new()))),
            Err(error) => Err(error),
        }
    }
}

/// The kind by which a registry lists the signatures of one form. That of sigstore's bundles is cosign's
/// (its `BUNDLE_SPEC.md`).
pub(crate) const fn artifact_type(form: SignatureForm) -> &'static str {
    match form {
        SignatureForm::Minisign => MINISIGN,
        SignatureForm::Sigstore => SIGSTORE_BUNDLE,
    }
}

/// A signature that has no file, under a name for people.
pub(crate) fn signature(form: SignatureForm, content: Vec<u8>) -> SignatureDocument {
    let name = SafeText::new(&format!("the {} {}", form.suffix(), Digest::of(&content)));
    SignatureDocument { name, form, content }
}

/// Gets the signatures of these forms that refer to any of the manifests. One that is not right counts as one that says
/// nothing.
pub(super) fn signatures_of(
    client: &OciClient<'_>,
    manifests: &[FetchedManifest],
    forms: &[SignatureForm],
    deadline: &Deadline,
) -> Result<Vec<SignatureDocument>, OciError> {
    let mut signatures = Vec::new();
    for (manifest, form) in manifests.iter().flat_map(|manifest| forms.iter().map(move |form| (manifest, *form))) {
        let found = client.referrers(&manifest.digest, artifact_type(form), deadline)?;
        for referrer in found.iter().take(limits::signatures::DOCUMENTS) {
            match client.referrer(referrer, &manifest.digest, form.most(), deadline) {
                Ok(found) => signatures.push(signature(form, only_part(found))),
                // A list may name what was removed.
                Err(OciError::Missing { .. }) => {}
                Err(error) if error.is_wrong() => signatures.push(signature(form, Vec::new())),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(signatures)
}

/// The one part of a signature; nothing where there are several.
fn only_part(referrer: Referrer) -> Vec<u8> {
    let [(_, bytes)] = <[_; 1]>::try_from(referrer.parts).unwrap_or_default();
    bytes
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
    Ok(Arrived { component, digest, manifests, signatures: Vec::new(), sent })
}
