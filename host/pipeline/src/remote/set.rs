//! Who is asked for a policy set: the same servers as for a component.

use std::fmt;
use std::sync::Arc;

use crate::remote::server::RemoteServers;
use crate::remote::server::signatures_of;
use crate::sets::archive::ArrivedSet;
use crate::sets::proof::SetProof;
use smcp_model::deadline::Deadline;
use smcp_model::limits::sets;
use smcp_model::policy::LayerName;
use smcp_model::source::RemoteAddress;
use smcp_oci::OciError;
use smcp_oci::set;
use smcp_signature::SignatureForm;

/// The copy of a set that may make an answer shorter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeptSet<'q> {
    pub(crate) set: &'q ArrivedSet,
    /// Whether nothing more is wanted while the same manifest leads to it: all of it was found good just now, and no further
    /// signature could be of use.
    pub(crate) is_enough: bool,
}

/// What is asked of the source of a set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SetQuestion<'q> {
    pub(crate) address: &'q RemoteAddress,
    /// The layer on whose behalf.
    pub(crate) layer: LayerName,
    /// The forms of signatures that are of use.
    pub(crate) forms: &'q [SignatureForm],
    pub(crate) kept: Option<KeptSet<'q>>,
    pub(crate) deadline: &'q Deadline,
}

/// Answers for the sources of sets.
pub(crate) trait SetServer: fmt::Debug {
    /// Gets a set, whatever it is worth.
    fn ask(&self, question: &SetQuestion<'_>) -> Result<ArrivedSet, OciError>;
}

impl SetServer for RemoteServers<'_> {
    fn ask(&self, question: &SetQuestion<'_>) -> Result<ArrivedSet, OciError> {
        let SetQuestion { address, layer, forms, kept, deadline } = *question;
        tracing::info!(layer = layer.as_str(), source = %address, "asking for a policy set");
        match address {
            RemoteAddress::Oci(reference) => {
                let (client, what) = (self.client(reference, layer), reference.to_string());
                let manifest = client.manifest(reference, deadline)?;
                let blob = set::layer_of(&manifest, &what)?;
                let same = kept.filter(|kept| kept.set.digest() == blob.digest);
                if let Some(KeptSet { set, is_enough: true }) = same
                    && set.proof().manifest.as_ref().is_some_and(|known| known.digest == manifest.digest)
                {
                    return Ok(set.clone());
                }
                let bytes = match same {
                    Some(kept) => Arc::clone(kept.set.bytes()),
                    None => Arc::new(client.blob(&blob, sets::ARCHIVE, &format!("the archive of {what}"), deadline)?),
                };
                let signatures = signatures_of(&client, std::slice::from_ref(&manifest), forms, deadline)?;
                Ok(ArrivedSet::new(bytes, SetProof { manifest: Some(manifest), signatures }))
            }
            RemoteAddress::Url(url) => {
                let bytes = self.fetch_file(url, layer, sets::ARCHIVE, deadline)?;
                let signatures = self.signatures_beside(url, forms, layer, deadline)?;
                Ok(ArrivedSet::new(bytes, SetProof { manifest: None, signatures }))
            }
        }
    }
}
